//! The three kinds of table rows.

/// Implements [`Record`](super::Record) for a generated message with the fields of a struct of the model,
/// in the order of their numbers: `record! { SessionEnd as SessionId { session_id } }`.
///
/// `env + env_is_set` is an optional list, which the schema has as a list and a truth value.
macro_rules! record {
    ($($wire:ident as $model:ident { $($field:ident $(+ $flag:ident)?),+ $(,)? })+) => {$(
        impl crate::shape::Record for crate::generated::zccache_v1::$wire {
            type Model = ipc_model::$model;

            fn len(model: &Self::Model) -> usize {
                use crate::generated::fields::zccache_v1::$wire as numbers;
                0 $(
                    + crate::shape::Out::field_len(&model.$field, numbers::$field)
                    $(+ crate::shape::Out::field_len(&model.$field.is_some(), numbers::$flag))?
                )+
            }

            fn put(model: &Self::Model, buffer: &mut wire_frame::Pieces) {
                use crate::generated::fields::zccache_v1::$wire as numbers;
                $(
                    crate::shape::Out::put_field(&model.$field, numbers::$field, buffer);
                    $(crate::shape::Out::put_field(&model.$field.is_some(), numbers::$flag, buffer);)?
                )+
            }

            fn check_paths(model: &Self::Model) -> Result<(), ipc_model::NotUtf8> {
                $(crate::shape::Out::check_paths(&model.$field)?;)+
                Ok(())
            }

            fn into_model(self) -> Result<Self::Model, crate::ConvertError> {
                let wire = self;
                Ok(ipc_model::$model { $(
                    $field: crate::shape::Field::of_wire(
                        record!(@take wire $field $($flag)?),
                        crate::convert_error::Place {
                            message: stringify!($wire),
                            field: stringify!($field),
                        },
                    )?,
                )+ })
            }
        }
    )+};
    (@take $wire:ident $field:ident) => { $wire.$field };
    (@take $wire:ident $field:ident $flag:ident) => { ($wire.$field, $wire.$flag) };
}

/// Names the generated message of a value of the model: `nested! { Path of NormalizedPath }`.
macro_rules! nested {
    ($($wire:ident of $model:ty),+ $(,)?) => {$(
        impl crate::shape::Nested for $model {
            type Wire = crate::generated::zccache_v1::$wire;
        }
    )+};
}

/// Implements [`Choice`](super::Choice) for an enum of the model, whose variants have the names of the
/// generated oneof's: `choice! { Request of request { Ping, Lookup(lookup: Lookup) } }`.
///
/// `= 20` is the number of a member that does not follow from the variant's place.
macro_rules! choice {
    ($model:ident of $noun:ident, $kind:ident since $since:path, by $accepts:path, $control:path {
        $($variant:ident $(($inner:ident: $wire:ident))? $(= $number:literal)?),+ $(,)?
    }) => {
        impl crate::shape::Message for ipc_model::$model {
            const NAME: &'static str = stringify!($model);
        }

        const _: () = assert!(
            crate::weigh::fits(crate::generated::fields::zccache_v1::$model::LISTS),
            "every list is weighed"
        );

        impl crate::shape::Choice for ipc_model::$model {
            type Wire = crate::generated::zccache_v1::$model;
            type Member = crate::generated::zccache_v1::$noun::Body;
            const NOUN: &'static str = stringify!($noun);
            const CONTROL: &'static str = $control;
            const REQUEST_ID: u32 = crate::generated::fields::zccache_v1::$model::request_id;

            const MEMBERS: u32 = ipc_model::$kind::ALL.len() as u32;

            fn number(&self) -> u32 {
                match self.kind() {
                    $($(ipc_model::$kind::$variant => $number,)?)+
                    kind => kind.index() + 1, // `docs/spec/wire-v16.md#members`
                }
            }

            fn since(&self) -> crate::Generation {
                $since(self.kind())
            }

            fn contents_len(&self) -> usize {
                match self {
                    $(Self::$variant $(($inner))? => {
                        0 $(+ <crate::generated::zccache_v1::$wire as crate::shape::Record>::len($inner))?
                    })+
                }
            }

            fn put_contents(&self, buffer: &mut wire_frame::Pieces) {
                match self {
                    $(Self::$variant $(($inner))? => {
                        $(<crate::generated::zccache_v1::$wire as crate::shape::Record>::put($inner, buffer);)?
                    })+
                }
            }

            fn check_paths(&self) -> Result<(), ipc_model::NotUtf8> {
                match self {
                    $(Self::$variant $(($inner))? => {
                        $(<crate::generated::zccache_v1::$wire as crate::shape::Record>::check_paths($inner)?;)?
                    })+
                }
                Ok(())
            }

            fn too_heavy(payload: &[u8]) -> bool {
                use crate::generated::fields::zccache_v1::$model::LISTS;
                const ALWAYS_LIGHT: usize = crate::weigh::always_light(LISTS);
                payload.len() > ALWAYS_LIGHT && crate::weigh::check(payload, LISTS).is_err()
            }

            fn split(wire: Self::Wire) -> (Option<Self::Member>, String) {
                (wire.body, wire.request_id)
            }

            fn merge_member(
                member: &mut Option<Self::Member>,
                number: u32,
                wire_type: prost::encoding::WireType,
                buffer: &mut &[u8],
                context: prost::encoding::DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                Self::Member::merge(member, number, wire_type, buffer, context)
            }

            fn of_member(member: Self::Member) -> Result<Self, crate::ConvertError> {
                Ok(match member {
                    $(choice!(@member $variant $($inner)?) => {
                        Self::$variant $((choice!(@model $inner)))?
                    })+
                })
            }

            fn is_control(member: &Self::Member) -> bool {
                $accepts(match member {
                    $(Self::Member::$variant(_) => ipc_model::$kind::$variant,)+
                })
            }
        }
    };
    (@member $variant:ident) => { Self::Member::$variant(crate::generated::zccache_v1::Empty {}) };
    (@model $inner:ident) => { crate::shape::Record::into_model($inner)?.into() }; // boxed or not
    (@member $variant:ident $inner:ident) => { Self::Member::$variant($inner) };
}
