//! What is written comes back, and what does not fit its manifest is named.

use super::*;

const KEY: secret::Key = [3; 32];
const BOUND: [u8; 32] = [4; 32];

fn writer() -> Writer<Vec<u8>> {
    let sealing = Sealing::new(Vec::new(), &KEY, BOUND).expect("a key");
    Writer::new(sealing).expect("memory")
}

fn reader(sealed: &[u8]) -> Reader<&[u8]> {
    let opening = Opening::new(sealed, &KEY, BOUND).expect("a key");
    Reader::new(opening).expect("memory")
}

fn two_parts() -> Writer<Vec<u8>> {
    let mut writer = writer();
    writer.begin(Kind::Table, "r_ticket").expect("memory");
    for length in [0, 1, 70_000, 3] {
        writer.row(&vec![7; length]).expect("memory");
    }
    writer.end().expect("memory");
    writer.begin(Kind::Data, "files/ab/cd").expect("memory");
    writer.add(&[9; 200_000]).expect("memory");
    writer.end().expect("memory");
    writer
}

#[test]
fn rows_and_files_come_back_as_they_went_in() {
    let (manifest, sealed) = two_parts().finish().expect("memory");
    let mut reader = reader(&sealed);
    let part = reader.next_part().expect("whole");
    assert_eq!(part, Some((Kind::Table, "r_ticket".to_owned())));
    let (mut row, mut lengths) = (Vec::new(), Vec::new());
    while reader.row(&mut row).expect("whole") {
        lengths.push(row.len());
    }
    assert_eq!(lengths, [0, 1, 70_000, 3]);
    let part = reader.next_part().expect("whole");
    assert_eq!(part, Some((Kind::Data, "files/ab/cd".to_owned())));
    let mut bytes = 0;
    while let Some(block) = reader.block().expect("whole") {
        bytes += block.len();
    }
    assert_eq!(bytes, 200_000);
    assert_eq!(reader.next_part().expect("whole"), None);
    assert_eq!(reader.into_parts(), manifest.parts);
}

#[test]
fn what_does_not_fit_the_manifest_is_named() {
    type Tamper = fn(&mut Manifest);
    let tampered: [(&str, Tamper); 4] = [
        ("r_ticket has", |manifest| manifest.parts[0].rows = 3),
        ("files/ab/cd has", |manifest| {
            manifest.parts[1].sha256 = "00".repeat(32);
        }),
        ("files/ab/cd is not in", |manifest| {
            manifest.parts.pop();
        }),
        ("lost is missing", |manifest| {
            let mut part = manifest.parts[1].clone();
            part.name = "lost".to_owned();
            manifest.parts.push(part);
        }),
    ];
    for (told, tamper) in tampered {
        let mut writer = two_parts();
        tamper(&mut writer.manifest);
        let (_, sealed) = writer.finish().expect("memory");
        let mut reader = reader(&sealed);
        let mut row = Vec::new();
        reader.next_part().expect("a part");
        while reader.row(&mut row).expect("a row") {}
        reader.next_part().expect("a part");
        let error = reader.next_part().expect_err("it does not fit").to_string();
        assert!(error.contains(told), "{error}");
    }
}
