//! The shapes of the answers.

use serde_json::{Map, Value as Json, json};

fn object(properties: Json) -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": properties.as_object().map(|p| p.keys().cloned().collect::<Vec<_>>()),
        "properties": properties,
    })
}

fn list(items: Json) -> Json {
    json!({"type": "array", "items": items})
}

fn maybe(kind: &str) -> Json {
    json!({"type": [kind, "null"]})
}

fn id() -> Json {
    json!({"type": "string", "format": "uuid"})
}

fn maybe_id() -> Json {
    json!({"type": ["string", "null"], "format": "uuid"})
}

fn day() -> Json {
    json!({"type": "string", "format": "date"})
}

fn maybe_day() -> Json {
    json!({"type": ["string", "null"], "format": "date"})
}

fn text() -> Json {
    json!({"type": "string"})
}

fn count() -> Json {
    json!({"type": "integer", "minimum": 0})
}

fn flag() -> Json {
    json!({"type": "boolean"})
}

fn labels() -> Json {
    json!({"$ref": "#/components/schemas/Labels"})
}

fn colour() -> Json {
    json!({"type": ["string", "null"], "enum": ["GREEN", "ORANGE", "RED", null]})
}

fn standing() -> Json {
    json!({"type": "string", "enum": ["GREEN", "ORANGE", "RED", "NO_DATA"]})
}

fn with(mut properties: Json, more: Json) -> Json {
    if let (Some(all), Json::Object(more)) = (properties.as_object_mut(), more) {
        all.extend(more);
    }
    properties
}

fn counts() -> Json {
    json!({
        "status": standing(), "green": count(), "orange": count(), "red": count(),
        "no_data": count(), "stale": count(), "open_actions": count(), "late_actions": count(),
    })
}

fn overview_parts() -> Json {
    let item = json!({"dashboard_id": id(), "title": text(), "process_name": maybe("string")});
    let process = json!({"process_name": maybe("string")});
    json!({
        "items": list(object(with(item, counts()))),
        "processes": list(object(with(process, counts()))),
    })
}

pub(super) fn overview() -> Json {
    object(overview_parts())
}

fn risk() -> Json {
    object(json!({
        "kpi_id": id(), "name": text(), "dashboard_id": maybe_id(), "unit": maybe("string"),
        "decimals": count(), "status": {"type": "string", "enum": ["ORANGE", "RED"]},
        "value": maybe("number"), "period_start": maybe_day(), "severity": {"type": "number"},
        "consecutive_reds": count(), "open_actions": count(), "owner_id": maybe_id(),
    }))
}

pub(super) fn risks() -> Json {
    object(json!({"items": list(risk()), "labels": labels()}))
}

fn forecast() -> Json {
    let mut described = object(json!({
        "period_start": maybe_day(), "value": {"type": "number"}, "lower": {"type": "number"},
        "upper": {"type": "number"}, "back_test_error": maybe("number"),
    }));
    described["type"] = json!(["object", "null"]);
    described
}

pub(super) fn direction() -> Json {
    let value = object(json!({
        "period_start": day(), "value": {"type": "number"}, "status": colour(),
    }));
    let trend = object(json!({
        "kpi_id": id(), "name": text(), "unit": maybe("string"), "decimals": count(),
        "values": list(value), "forecast": forecast(),
    }));
    let plan = object(json!({
        "id": id(), "title": text(), "kpi_id": id(), "kpi_name": maybe("string"),
        "owner_id": maybe_id(), "due_date": maybe_day(), "progress": count(),
        "status": text(), "late": flag(),
    }));
    let more = json!({
        "top_risks": list(risk()), "trends": list(trend), "key_actions": list(plan),
        "labels": labels(), "today": day(),
    });
    object(with(overview_parts(), more))
}

fn thresholds() -> Json {
    object(json!({
        "green": maybe("number"), "orange": maybe("number"), "red": maybe("number"),
    }))
}

fn measured() -> Json {
    json!({
        "period_start": day(), "period_end": day(), "value": {"type": "number"}, "status": colour(),
    })
}

fn shown() -> Json {
    json!({
        "kpi_id": id(), "name": text(), "unit": maybe("string"), "decimals": count(),
        "frequency": text(), "direction": text(), "stale": flag(), "owner_id": maybe_id(),
    })
}

pub(super) fn tiles() -> Json {
    let mut compared = object(json!({
        "period_start": day(), "value": {"type": "number"}, "change": maybe("number"),
    }));
    compared["type"] = json!(["object", "null"]);
    let more = json!({
        "status": standing(), "value": maybe("number"), "period_start": maybe_day(),
        "target": maybe("number"), "thresholds": thresholds(), "previous": compared,
        "year_before": compared, "values": list(object(measured())), "open_actions": count(),
    });
    let tile = object(with(shown(), more));
    object(json!({"dashboard_id": id(), "items": list(tile), "labels": labels()}))
}

pub(super) fn chart() -> Json {
    let point = with(
        measured(),
        json!({"thresholds": thresholds(), "target": maybe("number")}),
    );
    let signal = object(json!({"period_start": day(), "rule": count()}));
    let mut control = object(json!({
        "mean": {"type": "number"}, "lower": {"type": "number"}, "upper": {"type": "number"},
        "range_mean": {"type": "number"}, "range_upper": {"type": "number"}, "firm": flag(),
        "signals": list(signal),
    }));
    control["type"] = json!(["object", "null"]);
    let span = object(json!({
        "from": maybe_day(), "to": maybe_day(), "count": count(), "value": maybe("number"),
        "status": colour(),
    }));
    let mut spans = list(span);
    spans["type"] = json!(["array", "null"]);
    let more = json!({
        "aggregation": text(), "is_active": flag(), "points": list(object(point)),
        "control": control, "forecast": forecast(), "spans": spans, "labels": labels(),
    });
    object(with(shown(), more))
}

/// The schemas of comments under kpix's names, made of those of the platform.
pub fn kpix(all: &mut Map<String, Json>) {
    let named = json!({
        "content": maybe("string"), "author_id": maybe_id(),
    });
    for (of, name) in [
        ("Comment", "KpixComment"),
        ("CommentItem", "KpixCommentItem"),
    ] {
        let Some(mut described) = all.get(of).cloned() else {
            continue;
        };
        described["properties"] = with(described["properties"].take(), named.clone());
        all.insert(name.to_owned(), described);
    }
    if let Some(mut page) = all.get("CommentPage").cloned() {
        page["properties"]["items"]["items"] =
            json!({"$ref": "#/components/schemas/KpixCommentItem"});
        all.insert("KpixCommentPage".to_owned(), page);
    }
    if let Some(mut new) = all.get("NewComment").cloned() {
        let body = new["properties"]["body"].clone();
        new["properties"]["content"] = body;
        new["required"] = json!([]);
        all.insert("NewKpixComment".to_owned(), new);
    }
}
