//! Reads JSON objects by their members' names only. What serde derives for a struct also reads it from
//! an array, where the format has such; JSON's may, this core's never does, and that is half of the code
//! which every visitor would download.
//!
//! The adapters here hand everything through to `serde_json`, and each visitor only what it may meet.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

/// A value from its JSON text, the whole of it.
pub(crate) fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(ByName(&mut json))?;
    json.end()?;
    Ok(value)
}

/// A deserializer, or a seed: what is read with it is read by name all the way down.
pub(crate) struct ByName<T>(pub(crate) T);

/// Visitors that meet one thing only.
struct OfMap<V>(V);
struct OfSeq<V>(V);
struct OfOption<V>(V);
struct OfNewtype<V>(V);
struct OfEnum<V>(V);

macro_rules! visitor {
    ($name:ident { $($method:item)* }) => {
        impl<'de, V: Visitor<'de>> Visitor<'de> for $name<V> {
            type Value = V::Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.expecting(f)
            }
            $($method)*
        }
    };
}

visitor!(OfMap {
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.visit_map(ByName(map))
    }
});
visitor!(OfSeq {
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.0.visit_seq(ByName(seq))
    }
});
visitor!(OfOption {
    fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        self.0.visit_none()
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        self.0.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<Self::Value, D::Error> {
        self.0.visit_some(ByName(some))
    }
});
visitor!(OfNewtype {
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        self.0.visit_newtype_struct(ByName(inner))
    }
});
visitor!(OfEnum {
    fn visit_enum<A: EnumAccess<'de>>(self, of: A) -> Result<Self::Value, A::Error> {
        self.0.visit_enum(ByName(of))
    }
});

macro_rules! forward {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ByName<D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f64 deserialize_str deserialize_string
        deserialize_identifier deserialize_ignored_any
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char bytes byte_buf unit unit_struct tuple_struct
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(OfOption(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, OfNewtype(visitor))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_seq(OfSeq(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, OfSeq(visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(OfMap(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(OfMap(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, OfEnum(visitor))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for ByName<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(ByName(deserializer))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ByName<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(ByName(seed))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for ByName<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(ByName(seed))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for ByName<A> {
    type Error = A::Error;
    type Variant = ByName<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, ByName(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for ByName<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(ByName(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, OfSeq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, OfMap(visitor))
    }
}

#[cfg(test)]
mod tests {
    use resourcecache::json::{JsonResource, Schema};
    use resourcecache::{Config, Event, Metadata, MetadataPatch, Record};
    use serde::de::DeserializeOwned;

    use super::from_str;

    /// Reads what serde_json reads.
    fn same<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
        let whole: T = serde_json::from_str(text).unwrap();
        assert_eq!(from_str::<T>(text).unwrap(), whole);
        for cut in 1..text.len() {
            let cut = text.get(..cut).unwrap_or("[");
            assert_eq!(
                from_str::<T>(cut).is_ok(),
                serde_json::from_str::<T>(cut).is_ok(),
                "{cut}"
            );
        }
    }

    #[test]
    fn values_are_read_as_serde_json_reads_them() {
        same::<Schema>(
            r#" {"id":"/name","uid":null,"version":"/v\u0065r","unknown":[{"a":[1]}]} "#,
        );
        same::<Metadata>(
            r#"{"status":"deleting","deletedAt":"2025-01-19T00:00:00Z","progress":12.5,"own":{"a":[1,null]}}"#,
        );
        same::<MetadataPatch>(r#"{"progress":25,"message":null,"own":"x"}"#);
        same::<Config>(r#"{"ttl_ms":5,"retry":{"max_attempts":null},"seed":9007199254740991}"#);
        for event in [
            r#""handle_timeout""#,
            r#"{"begin":{"id":"a","kind":"delete","patch":null,"min_ttl_ms":7}}"#,
            r#"{"batch":[{"remove":{"id":"a"}},"undo",{"fail":{"operation":3,"error":"no","retry":{"after":5}}}]}"#,
        ] {
            same::<Event<JsonResource>>(event);
        }
    }

    #[test]
    fn a_saved_state_is_read_as_it_was_written() {
        let schema = Schema::default();
        let mut cache = resourcecache::JsonCache::new(Config::default());
        let merge = Event::Merge(
            schema
                .snapshot(br#"[{"id":"a","n":1.50},{"id":"b"}]"#)
                .unwrap(),
        );
        let at = resourcecache::Timestamp(1_000_000);
        cache.apply(merge, at).unwrap();
        let begin = |id: &str, kind| Event::Begin {
            id: id.into(),
            kind,
            patch: None,
            min_ttl_ms: Some(5),
        };
        let event = Box::new(begin("a", resourcecache::Kind::Delete));
        let label = "Delete a".into();
        cache.apply(Event::Perform { label, event }, at).unwrap();
        cache
            .apply(begin("b", resourcecache::Kind::Update), at)
            .unwrap();
        same::<Record<JsonResource>>(&serde_json::to_string(&cache.record()).unwrap());
    }

    #[test]
    fn an_object_is_not_read_from_an_array_nor_with_something_behind() {
        assert!(from_str::<Schema>(r#"["/id",null,null,null,"",null,null]"#).is_err());
        assert!(from_str::<Schema>("{} {}").is_err());
        assert!(from_str::<Schema>("{}").is_ok());
    }
}
