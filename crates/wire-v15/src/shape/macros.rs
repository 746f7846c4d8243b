//! The two kinds of table rows: a struct with its fields in wire order, an enum with its variants in
//! wire order.

/// Implements [`Shape`](super::Shape) for a struct: `record! { Lookup { cache_key } }`.
///
/// `field (since V23)` is part of that generation and later ones. `field (always since V17)` is an
/// optional of the model that bincode has as a plain value: absent is written as the default.
macro_rules! record {
    ($($name:ident { $($field:ident $(($($since:tt)+))?),+ $(,)? })+) => {$(
        impl crate::shape::Shape for $name {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
                generation: crate::Generation,
            ) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct as _;
                const LEN: usize = [$(stringify!($field)),+].len();
                let mut record = serializer.serialize_struct(stringify!($name), LEN)?;
                $(record!(@put record, self, $field, generation $(, $($since)+)?);)+
                record.end()
            }

            fn deserialize<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
                body: crate::shape::Body<'_>,
            ) -> Result<Self, D::Error> {
                const FIELDS: &[&str] = &[$(stringify!($field)),+];
                struct Fields<'b>(crate::shape::Body<'b>);
                impl<'de> serde::de::Visitor<'de> for Fields<'_> {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("the fields of ", stringify!($name)))
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        Ok($name { $(
                            $field: record!(@take self, seq, $field $(, $($since)+)?),
                        )+ })
                    }
                }
                deserializer.deserialize_struct(stringify!($name), FIELDS, Fields(body))
            }

            fn check_paths(&self) -> Result<(), ipc_model::NotUtf8> {
                $(crate::shape::Shape::check_paths(&self.$field)?;)+
                Ok(())
            }

            fn bulk(&self) -> usize {
                0 $(+ crate::shape::Shape::bulk(&self.$field))+
            }

            fn texts(&self) -> usize {
                0 $(+ crate::shape::Shape::texts(&self.$field))+
            }

            fn large<'a>(&'a self, least: usize, found: &mut Vec<&'a bytes::Bytes>) {
                $(crate::shape::Shape::large(&self.$field, least, found);)+
            }
        }
    )+};
    (@put $record:ident, $self:ident, $field:ident, $generation:ident) => {
        $record.serialize_field(stringify!($field), &crate::shape::Out(&$self.$field, $generation))?
    };
    (@put $record:ident, $self:ident, $field:ident, $generation:ident, since $since:ident) => {
        if $generation.has(crate::Generation::$since) {
            $record.serialize_field(stringify!($field), &crate::shape::Out(&$self.$field, $generation))?;
        }
    };
    (@put $record:ident, $self:ident, $field:ident, $generation:ident, always since $since:ident) => {
        if $generation.has(crate::Generation::$since) {
            match &$self.$field {
                Some(value) => {
                    $record.serialize_field(stringify!($field), &crate::shape::Out(value, $generation))?;
                }
                None => {
                    let default = Option::unwrap_or_default($self.$field.clone());
                    $record.serialize_field(stringify!($field), &crate::shape::Out(&default, $generation))?;
                }
            }
        }
    };
    (@take $self:ident, $seq:ident, $field:ident) => {
        match $seq.next_element_seed(crate::shape::In::new($self.0))? {
            Some(value) => value,
            None => return Err(serde::de::Error::missing_field(stringify!($field))),
        }
    };
    (@take $self:ident, $seq:ident, $field:ident, since $since:ident) => {
        if $self.0.generation.has(crate::Generation::$since) {
            record!(@take $self, $seq, $field)
        } else {
            Default::default()
        }
    };
    (@take $self:ident, $seq:ident, $field:ident, always since $since:ident) => {
        if $self.0.generation.has(crate::Generation::$since) {
            Some(record!(@take $self, $seq, $field))
        } else {
            None
        }
    };
}

/// Implements [`Shape`](super::Shape) for an enum whose variants hold nothing or one value:
/// `choice! { Request { 0 Ping, 3 Lookup(lookup) } }`.
macro_rules! choice {
    ($($name:ident { $($index:literal $variant:ident $(($inner:ident))?),+ $(,)? })+) => {$(
        impl crate::shape::Shape for $name {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
                _generation: crate::Generation,
            ) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant $(($inner))? => choice!(
                        @write serializer, stringify!($name), $index, stringify!($variant)
                        $(, $inner, _generation)?
                    ),)+
                }
            }

            fn deserialize<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
                body: crate::shape::Body<'_>,
            ) -> Result<Self, D::Error> {
                const VARIANTS: &[&str] = &[$(stringify!($variant)),+];
                struct Variants<'b>(crate::shape::Body<'b>);
                impl<'de> serde::de::Visitor<'de> for Variants<'_> {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a variant of ", stringify!($name)))
                    }

                    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, data: A) -> Result<$name, A::Error> {
                        use serde::de::VariantAccess as _;
                        let (index, contents) = data.variant_seed(crate::shape::sequence::Tag(VARIANTS))?;
                        match index {
                            $($index => choice!(@read $name, $variant, contents, self.0 $(, $inner)?),)+
                            // `Tag` has checked it against the same list.
                            _ => Err(serde::de::Error::custom("variant index out of range")),
                        }
                    }
                }
                deserializer.deserialize_enum(stringify!($name), VARIANTS, Variants(body))
            }

            fn check_paths(&self) -> Result<(), ipc_model::NotUtf8> {
                match self {
                    $(Self::$variant $(($inner))? => {
                        $(crate::shape::Shape::check_paths($inner)?;)?
                    })+
                }
                Ok(())
            }

            fn bulk(&self) -> usize {
                match self {
                    $(Self::$variant $(($inner))? => 0 $(+ crate::shape::Shape::bulk($inner))?,)+
                }
            }

            fn texts(&self) -> usize {
                match self {
                    $(Self::$variant $(($inner))? => 0 $(+ crate::shape::Shape::texts($inner))?,)+
                }
            }

            fn large<'a>(&'a self, _least: usize, _found: &mut Vec<&'a bytes::Bytes>) {
                match self {
                    $(Self::$variant $(($inner))? => {
                        $(crate::shape::Shape::large($inner, _least, _found);)?
                    })+
                }
            }
        }
    )+};
    (@write $serializer:ident, $name:expr, $index:literal, $variant:expr) => {
        $serializer.serialize_unit_variant($name, $index, $variant)
    };
    (@write $serializer:ident, $name:expr, $index:literal, $variant:expr, $inner:ident, $generation:ident) => {
        $serializer.serialize_newtype_variant($name, $index, $variant, &crate::shape::Out($inner, $generation))
    };
    (@read $name:ident, $variant:ident, $contents:ident, $body:expr) => {{
        let crate::shape::Body { .. } = $body; // nothing to share
        $contents.unit_variant().map(|()| $name::$variant)
    }};
    (@read $name:ident, $variant:ident, $contents:ident, $body:expr, $inner:ident) => {
        $contents.newtype_variant_seed(crate::shape::In::new($body)).map($name::$variant)
    };
}
