//! The table of every message's fields: their numbers for the encoder, their memory for the decoder.

use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Returns the file: one module for each package, in it one for each message.
pub(super) fn render(schemas: &FileDescriptorSet) -> String {
    let mut text = String::from(
        "//! The fields of every message: their numbers, and the lists that they reach.\n\
         // Made by `cargo xtask codegen` from the schemas under `proto/`. Never edited.\n\
         #![expect(\n    non_upper_case_globals,\n    non_snake_case,\n    dead_code,\n    \
         reason = \"names are those of the schemas, and there is a number for every field\"\n)]\n",
    );
    for file in &schemas.file {
        package(&mut text, file);
    }
    text
}

fn package(text: &mut String, file: &FileDescriptorProto) {
    let name = file.package().replace('.', "_");
    let _ = write!(text, "\npub(crate) mod {name} {{\n");
    for message in &file.message_type {
        let _ = write!(text, "    pub(crate) mod {} {{\n        use crate::weigh::List;\n\n", message.name());
        for field in &message.field {
            let _ = writeln!(text, "        pub(crate) const {}: u32 = {};", field.name(), field.number());
        }
        let lists: Vec<String> = message.field.iter().filter_map(|field| list(file, field)).collect();
        text.push_str("        pub(crate) const LISTS: &[List] = &[");
        for list in &lists {
            let _ = write!(text, "\n            {list},");
        }
        text.push_str(if lists.is_empty() { "];\n    }\n" } else { "\n        ];\n    }\n" });
    }
    text.push_str("}\n");
}

/// Returns the row of a field that is a list, or a message that reaches one.
fn list(file: &FileDescriptorProto, field: &FieldDescriptorProto) -> Option<String> {
    let repeated = field.label() == Label::Repeated;
    let message = find(file, field);
    if !repeated && !message.is_some_and(|message| reaches_a_list(file, message)) {
        return None;
    }
    let element = match (field.r#type(), message) {
        _ if !repeated => "None".to_owned(),
        (Type::Message, Some(message)) => {
            let package = file.package().replace('.', "_");
            format!("Some(size_of::<crate::generated::{package}::{}>())", message.name())
        }
        (Type::Message, None) if is_map(file, field) => MAP_ENTRY.to_owned(),
        (Type::String, _) => "Some(size_of::<String>())".to_owned(),
        (Type::Bytes, _) => "Some(size_of::<bytes::Bytes>())".to_owned(),
        // No number takes more memory, packed or not.
        _ => "Some(size_of::<u64>())".to_owned(),
    };
    let within = message.map_or("&[]".to_owned(), |message| format!("super::{}::LISTS", message.name()));
    let packed = !matches!(field.r#type(), Type::Message | Type::String | Type::Bytes);
    Some(format!(
        "List {{ number: {}, element: {element}, packed: {packed}, within: {within} }}",
        field.number()
    ))
}

fn reaches_a_list(file: &FileDescriptorProto, message: &DescriptorProto) -> bool {
    message.field.iter().any(|field| {
        field.label() == Label::Repeated
            || find(file, field).is_some_and(|message| reaches_a_list(file, message))
    })
}

/// The memory of a map's entry: twice its size, for the nodes of the tree.
///
/// Every map here is from text to a number.
const MAP_ENTRY: &str = "Some(2 * size_of::<(String, u64)>())";

/// Returns true if the field is a map.
///
/// The descriptor has a map as a list of messages inside of its owner.
fn is_map(file: &FileDescriptorProto, field: &FieldDescriptorProto) -> bool {
    file.message_type.iter().any(|owner| {
        owner.nested_type.iter().any(|entry| {
            let name = format!(".{}.{}.{}", file.package(), owner.name(), entry.name());
            entry.options.as_ref().is_some_and(|options| options.map_entry()) && field.type_name() == name
        })
    })
}

/// Returns the message that a field holds.
fn find<'a>(file: &'a FileDescriptorProto, field: &FieldDescriptorProto) -> Option<&'a DescriptorProto> {
    let name = field.type_name().strip_prefix(&format!(".{}.", file.package()))?;
    file.message_type.iter().find(|message| message.name() == name)
}
