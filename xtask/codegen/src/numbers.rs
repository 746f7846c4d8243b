//! `proto/NUMBERS.txt`: every number that was ever used, and its use.
//!
//! A line is `zccache.v1.Compile 5 env repeated zccache.v1.EnvVar`: the message, the number, the name,
//! the presence and the type. For an enum it is `zccache.v1.StoreResultKind 1 NAME value`. A line whose
//! number is no longer used stays, with `retired` at the end, and the message reserves number and name.

use std::collections::BTreeMap;
use std::fmt;

use prost_types::field_descriptor_proto::Label;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use super::schema::all_messages;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    owner: String,
    number: i32,
    name: String,
    /// The presence and type of a field; `value` for a value of an enum.
    what: String,
    retired: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retired = if self.retired { " retired" } else { "" };
        write!(f, "{} {} {} {}{retired}", self.owner, self.number, self.name, self.what)
    }
}

/// The numbers in the schemas.
struct Schemas {
    lines: Vec<Line>,
    /// The numbers and names that a message or enum reserves.
    reserved: BTreeMap<String, (Vec<std::ops::Range<i32>>, Vec<String>)>,
}

/// Returns a sentence for each difference between `text` and the schemas, with the fix.
pub(super) fn check(text: &str, schemas: &FileDescriptorSet) -> Vec<String> {
    let mut broken = Vec::new();
    let mut recorded: Vec<Line> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match parse(line) {
            Some(line) => match recorded.iter().find(|other| clash(other, &line)) {
                Some(other) => broken.push(format!("`{line}` reuses `{other}`: take a new number and name")),
                None => recorded.push(line),
            },
            None => broken.push(format!("`{line}` is no line of this file")),
        }
    }
    let schemas = Schemas::of(schemas);
    for line in &schemas.lines {
        if recorded.contains(line) {
            continue;
        }
        broken.push(match recorded.iter().find(|other| clash(other, line)) {
            Some(other) => format!(
                "the schema has `{line}`, and `{other}` was released: never reuse, renumber or change it"
            ),
            None => format!("new, and not recorded: add the line `{line}`"),
        });
    }
    for line in &recorded {
        let in_use = schemas.lines.contains(line);
        if line.retired && !schemas.reserves(line) {
            broken.push(format!(
                "`{line}`: its owner must say `reserved {}; reserved \"{}\";`",
                line.number, line.name
            ));
        } else if !line.retired && !in_use && !schemas.lines.iter().any(|other| clash(other, line)) {
            broken.push(format!("`{line}` is gone from the schema: put it back, or reserve it there and end its line with `retired`"));
        }
    }
    broken
}

/// Returns true if two lines claim the same number or the same name.
fn clash(one: &Line, other: &Line) -> bool {
    one.owner == other.owner && (one.number == other.number || one.name == other.name)
}

fn parse(line: &str) -> Option<Line> {
    let mut words: Vec<&str> = line.split(' ').collect();
    let retired = words.last() == Some(&"retired");
    if retired {
        words.pop();
    }
    let (&[owner, number, name], what) = words.split_first_chunk::<3>()?;
    if what.is_empty() {
        return None;
    }
    let number = number.parse().ok()?;
    Some(Line { owner: owner.to_owned(), number, name: name.to_owned(), what: what.join(" "), retired })
}

impl Schemas {
    fn of(schemas: &FileDescriptorSet) -> Self {
        let mut all = Self { lines: Vec::new(), reserved: BTreeMap::new() };
        for file in &schemas.file {
            for (name, message) in all_messages(file) {
                all.add_message(&name, message);
                for nested in &message.enum_type {
                    all.add_enum(&format!("{name}.{}", nested.name()), nested);
                }
            }
            for top in &file.enum_type {
                all.add_enum(&format!("{}.{}", file.package(), top.name()), top);
            }
        }
        all
    }

    fn add_message(&mut self, owner: &str, message: &DescriptorProto) {
        self.lines.extend(message.field.iter().map(|field| Line {
            owner: owner.to_owned(),
            number: field.number(),
            name: field.name().to_owned(),
            what: format!("{} {}", presence(message, field), type_of(field)),
            retired: false,
        }));
        let numbers = message.reserved_range.iter().map(|range| range.start()..range.end());
        self.reserved.insert(owner.to_owned(), (numbers.collect(), message.reserved_name.clone()));
    }

    fn add_enum(&mut self, owner: &str, values: &EnumDescriptorProto) {
        self.lines.extend(values.value.iter().map(|value| Line {
            owner: owner.to_owned(),
            number: value.number(),
            name: value.name().to_owned(),
            what: "value".to_owned(),
            retired: false,
        }));
        // The range of an enum includes its end.
        let numbers = values.reserved_range.iter().map(|range| range.start()..range.end().saturating_add(1));
        self.reserved.insert(owner.to_owned(), (numbers.collect(), values.reserved_name.clone()));
    }

    fn reserves(&self, line: &Line) -> bool {
        match self.reserved.get(&line.owner) {
            // The lines of a removed message stay, so that its name is not used again.
            None => true,
            Some((numbers, names)) => {
                numbers.iter().any(|range| range.contains(&line.number)) && names.contains(&line.name)
            }
        }
    }
}

fn presence(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    match (field.label(), field.oneof_index) {
        (Label::Repeated, _) => "repeated".to_owned(),
        _ if field.proto3_optional() => "optional".to_owned(),
        (_, Some(index)) => {
            let oneof = message.oneof_decl.get(index as usize);
            format!("oneof:{}", oneof.map_or("?", |oneof| oneof.name()))
        }
        _ => "singular".to_owned(),
    }
}

/// Returns the type as a schema spells it, with its full name.
fn type_of(field: &FieldDescriptorProto) -> String {
    match &field.type_name {
        Some(name) => name.trim_start_matches('.').to_owned(),
        None => field.r#type().as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{NUMBERS, repository, schema};

    fn schemas() -> FileDescriptorSet {
        schema::compile(&repository().join("proto")).unwrap()
    }

    fn recorded() -> String {
        fs::read_to_string(repository().join(NUMBERS)).unwrap()
    }

    #[test]
    fn every_field_number_equals_the_recorded_one() {
        assert_eq!(check(&recorded(), &schemas()), [""; 0]);
    }

    /// Changes the schemas by `change` and the file by `edit`, and compares the sentences.
    #[track_caller]
    fn check_changed(
        change: impl FnOnce(&mut DescriptorProto),
        edit: impl FnOnce(String) -> String,
        expected: &[&str],
    ) {
        let mut schemas = schemas();
        let messages = schemas.file.iter_mut().flat_map(|file| &mut file.message_type);
        change(messages.into_iter().find(|message| message.name() == "EnvVar").unwrap());
        let found = check(&edit(recorded()), &schemas);
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    const VALUE: &str = "zccache.v1.EnvVar 2 value singular string";

    #[test]
    fn a_changed_field_is_refused() {
        let same = |text: String| text;
        check_changed(
            |message| message.field[1].number = Some(3),
            same,
            &["never reuse, renumber or change"],
        );
        let bytes = prost_types::field_descriptor_proto::Type::Bytes as i32;
        check_changed(|message| message.field[1].r#type = Some(bytes), same, &["never reuse"]);
        check_changed(|message| message.field[1].name = Some("text".to_owned()), same, &["never reuse"]);
        check_changed(|message| message.field[1].set_label(Label::Repeated), same, &["never reuse"]);
        check_changed(|message| drop(message.field.pop()), same, &["is gone from the schema"]);
    }

    #[test]
    fn a_new_field_needs_its_line() {
        let add = |message: &mut DescriptorProto| {
            let mut field = message.field[1].clone();
            (field.number, field.name) = (Some(3), Some("origin".to_owned()));
            message.field.push(field);
        };
        let line = "zccache.v1.EnvVar 3 origin singular string";
        check_changed(add, |text| text, &[&format!("add the line `{line}`")]);
        check_changed(add, |text| format!("{text}{line}\n"), &[]);
    }

    #[test]
    fn a_retired_field_is_reserved_and_never_comes_back() {
        let retire = |text: String| text.replace(VALUE, &format!("{VALUE} retired"));
        let reserve = |message: &mut DescriptorProto| {
            message.field.pop();
            let range = prost_types::descriptor_proto::ReservedRange { start: Some(2), end: Some(3) };
            message.reserved_range.push(range);
            message.reserved_name.push("value".to_owned());
        };
        check_changed(reserve, retire, &[]);
        check_changed(|message| drop(message.field.pop()), retire, &["must say `reserved 2"]);
        check_changed(|_| {}, retire, &["never reuse", "must say `reserved 2"]);
    }

    #[test]
    fn each_field_number_is_recorded_once() {
        let again = "zccache.v1.EnvVar 2 origin singular string";
        check_changed(|_| {}, |text| format!("{text}{again}\n"), &["reuses"]);
        check_changed(|_| {}, |text| format!("{text}what is this\n"), &["is no line of this file"]);
    }
}
