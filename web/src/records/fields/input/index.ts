/** Every control, as one chunk that is loaded with the first form. */
export { ChildrenInput } from './children';
export { BooleanInput, ChoiceInput, ChoicesInput, StateInput } from './choices';
export { FileInput } from './files';
export { AnyLinkInput, LinkInput, LinksInput } from './links';
export { DecimalInput, DurationInput, GeoInput, IntegerInput, MoneyInput } from './numbers';
export { RichTextInput } from './rich-text';
export { TagsInput } from './tags';
export { ColorInput, JsonInput, LineInput, LongTextInput, SecretInput } from './text';
export { DateInput, DatetimeInput } from './times';
