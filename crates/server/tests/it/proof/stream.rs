//! Live changes: what a reader hears of them is the same in both worlds.

use opsflux_model::schema::FieldType;
use serde_json::json;

use super::Forbidden;
use super::sample;
use super::wire::{Asked, Wire, plain};
use super::world::{HIDDEN, MORE, World};
use crate::live::Stream;

/// Opens both streams, changes what is hidden and then what is not, and compares what was heard.
pub async fn compare(
    one: &World,
    other: &World,
    reader: &str,
    pair: &[Wire; 2],
    forbidden: &Forbidden,
) -> Option<String> {
    let mut heard = Vec::new();
    for (world, wire) in [one, other].into_iter().zip(pair) {
        heard.push(hear(world, reader, wire).await);
    }
    let [one, other] = [&heard[0], &heard[1]];
    if one != other {
        return Some(format!(
            "-- in one world:\n{one}\n-- in the other:\n{other}"
        ));
    }
    let found = heard.iter().find_map(|heard| forbidden.in_text(heard, ""));
    found.map(|(word, name)| format!("-- tells {name}, “{word}”:\n{one}"))
}

async fn hear(world: &World, reader: &str, wire: &Wire) -> String {
    let mut stream = Stream::open(wire.client(), None).await;
    let schema = world.schema.clone();
    for ix in world.entities() {
        let entity = schema.entity(ix);
        let field = entity.iter().find(|(_, f)| {
            matches!(&f.kind, FieldType::LongText { .. }) && !f.readonly && !f.system
        });
        let Some((field, declared)) = field else {
            continue;
        };
        let kept = world.keeps(ix, field);
        for record in if kept {
            &[1, HIDDEN, MORE][..]
        } else {
            &[HIDDEN, MORE][..]
        } {
            if !world.has(ix, *record) {
                continue;
            }
            let word = sample::word(sample::Spot {
                record: 11,
                ..world.spot(ix, field, *record)
            });
            let asked = Asked::patch(world.path(ix, *record), &json!({&declared.name: word}));
            world.done(&asked).await;
            let back = sample::value(world.spot(ix, field, *record));
            let asked = Asked::patch(world.path(ix, *record), &json!({&declared.name: back}));
            world.done(&asked).await;
        }
    }
    // The last thing is one he hears of; what comes before it is all there is.
    let marker = world.marker(reader, wire).await;
    let mut heard = String::new();
    let patience = std::time::Instant::now();
    while let Some((event, data)) = stream.next_event().await {
        heard.push_str(&format!("{event} {data}\n"));
        assert!(
            patience.elapsed() < crate::support::PATIENCE,
            "only heard {heard}"
        );
        if data["id"] == marker.as_str() {
            break;
        }
    }
    plain(&heard, &world.tag)
}
