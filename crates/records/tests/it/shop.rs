//! A small module of the tests: orders with lines, for what no shipped entity declares.

use opsflux_model::declare::ModuleSource;

const MODULE: &str = r#"
name = "shop"
version = "0.1.0"
depends = ["base"]
"#;

const ORDER: &str = r#"
name = "order"
collection = "orders"
title = "name"
[fields]
name = { type = "text", required = true, max = 50 }
placed_on = { type = "date" }
discount = { type = "decimal", precision = 9, scale = 2 }
lines = { type = "children", of = "line", via = "order" }
code = { type = "computed", returns = "text", expr = "upper(name) ~ '/' ~ year(placed_on)", index = true }
due_on = { type = "computed", returns = "date", expr = "placed_on + 30" }
factor = { type = "computed", returns = "decimal", expr = "1 - coalesce(discount, 0) / 100" }
line_count = { type = "rollup", of = "lines", op = "count" }
open_count = { type = "rollup", of = "lines", op = "count", where = { field = "done", op = "ne", value = true } }
total = { type = "rollup", of = "lines", op = "sum", field = "amount" }
pieces = { type = "rollup", of = "lines", op = "sum", field = "quantity" }
cheapest = { type = "rollup", of = "lines", op = "min", field = "price" }
dearest = { type = "rollup", of = "lines", op = "max", field = "price" }
average = { type = "rollup", of = "lines", op = "average", field = "quantity" }
newest = { type = "rollup", of = "lines", op = "latest", field = "label" }
basket_count = { type = "rollup", of = "baskets", op = "count" }
[permissions.user]
view = "all"
create = "all"
edit = "all"
delete = "all"
"#;

const LINE: &str = r#"
name = "line"
collection = "lines"
title = "label"
[fields]
order = { type = "link", to = "order", on_delete = "cascade", inverse = "positions" }
label = { type = "text" }
quantity = { type = "integer" }
price = { type = "decimal", precision = 12, scale = 2 }
amount = { type = "computed", returns = "decimal", expr = "quantity * price" }
done = { type = "boolean" }
"#;

const BASKET: &str = r#"
name = "basket"
collection = "baskets"
title = "name"
number = "BAS-{yyyy}-{seq:03}"
gapless = true
[fields]
name = { type = "text" }
code = { type = "text", unique = true }
orders = { type = "links", to = "order", inverse = "baskets" }
"#;

const CLAIM: &str = r#"
name = "claim"
collection = "claims"
title = "name"
[fields]
name = { type = "text" }
line = { type = "link", to = "line", required = true, on_delete = "refuse", inverse = "claims" }
"#;

/// Its declarations.
pub fn module() -> ModuleSource {
    ModuleSource::new("shop")
        .with("module.toml", MODULE)
        .with("entities/order.toml", ORDER)
        .with("entities/line.toml", LINE)
        .with("entities/basket.toml", BASKET)
        .with("entities/claim.toml", CLAIM)
}
