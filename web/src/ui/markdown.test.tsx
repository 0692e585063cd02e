import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { MarkdownText } from './markdown';

const html = (text: string) => render(<MarkdownText text={text} />).container;

describe('Markdown', () => {
  it('becomes elements', () => {
    const page = html(
      '# Title\n\nline one\nline two **bold**\n\n- [x] done\n\n| a | b |\n|---|---|\n| 1 | 2 |',
    );
    // The page has headings of its own above these.
    expect(page.querySelector('h3')).toHaveTextContent('Title');
    expect(page.querySelector('br')).not.toBeNull();
    expect(page.querySelector('strong')).toHaveTextContent('bold');
    expect(page.querySelector('td')).toHaveTextContent('1');
    expect(page.querySelector('input')).toBeNull();
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe src="https://evil.test"></iframe>',
    '<svg onload=alert(1)>',
    '<style>*{display:none}</style>',
  ])('shows %s as the text it is', (attack) => {
    const page = html(`before ${attack} after`);
    expect(page.querySelector('script, img, iframe, svg, style, a')).toBeNull();
    expect(page).toHaveTextContent(attack.replace(/\s+/g, ' '));
  });

  it.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,<b>x</b>', 'vbscript:x'])(
    'makes no link of %s',
    (address) => {
      const page = html(`[click](${address}) ![pic](${address})`);
      expect(page.querySelector('a, img')).toBeNull();
      expect(page).toHaveTextContent('click pic');
    },
  );

  it('leads out of the page without telling where from', () => {
    const link = html('[out](https://example.test)').querySelector('a');
    expect(link).toHaveAttribute('target', '_blank');
    expect(link).toHaveAttribute('rel', 'noreferrer');
    expect(html('[in](/r/tickets)').querySelector('a')).not.toHaveAttribute('target');
  });

  it('loads pictures of this server only', () => {
    expect(html('![pic](/api/v1/files/1/content)').querySelector('img')).not.toBeNull();
    for (const address of ['https://tracker.test/p.png', '//tracker.test/p.png']) {
      const page = html(`![pic](${address})`);
      expect(page.querySelector('img')).toBeNull();
      expect(page.querySelector('a')).toHaveTextContent('pic');
    }
  });
});
