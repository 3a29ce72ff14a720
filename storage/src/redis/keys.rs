//! How Redis' keys and channels are named.

use std::borrow::Cow;

/// The prefix of all keys, and what is built on it.
///
/// All of one collection has one hash tag, its key in braces, so that a cluster keeps it on one
/// server: `resourcecache:{dns-zones:project-1}:info`.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

/// The four keys of a collection.
pub(super) const KINDS: [&str; 4] = ["info", "parts", "log", "commits"];

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }

    pub(super) fn of(&self, key: &str, kind: &str) -> String {
        self.tagged(&tag(key), kind)
    }

    pub(super) fn all(&self, key: &str) -> [String; 4] {
        let tag = tag(key);
        KINDS.map(|kind| self.tagged(&tag, kind))
    }

    fn tagged(&self, tag: &str, kind: &str) -> String {
        format!("{}:{{{tag}}}:{kind}", self.prefix)
    }

    pub(super) fn lease(&self, key: &str, lease: &str) -> String {
        self.of(key, &format!("lease:{lease}"))
    }

    pub(super) fn channel(&self, key: &str) -> String {
        self.of(key, "changed")
    }

    /// A channel, or a key, that no collection has.
    pub(super) fn own(&self, name: &str) -> String {
        format!("{}:{name}", self.prefix)
    }

    /// The pattern of all infos, for `SCAN`.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::new();
        for c in self.prefix.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern + ":{*}:info"
    }

    /// The collection whose info, or channel, has this name.
    pub(super) fn key_of(&self, name: &str, kind: &str) -> Option<String> {
        let tag = name.strip_prefix(&self.prefix)?.strip_prefix(":{")?;
        untag(tag.strip_suffix(kind)?.strip_suffix("}:")?)
    }
}

/// A key without braces, which would end a hash tag; not empty, which would be none.
fn tag(key: &str) -> Cow<'_, str> {
    if key.is_empty() {
        return "%".into();
    }
    if !key.contains(['%', '{', '}']) {
        return key.into();
    }
    let key = key.replace('%', "%25");
    key.replace('{', "%7B").replace('}', "%7D").into()
}

/// What [`tag`] wrote; `None` for what it did not.
fn untag(tag: &str) -> Option<String> {
    if tag == "%" {
        return Some(String::new());
    }
    let key = tag
        .replace("%7B", "{")
        .replace("%7D", "}")
        .replace("%25", "%");
    (self::tag(&key) == tag).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_hash_tag_and_is_found_again() {
        let names = Names::new("app*");
        for key in ["", "a", "{a}", "}{", "%", "%7B", "a:{b}:info", "ü %25"] {
            let name = names.of(key, "info");
            let tag = name
                .split_once('{')
                .and_then(|(_, rest)| rest.split_once('}'));
            assert!(tag.is_some_and(|(tag, _)| !tag.is_empty()), "{name}");
            assert_eq!(tag.map(|(_, rest)| rest), Some(":info"), "{name}");
            assert_eq!(names.key_of(&name, "info").as_deref(), Some(key), "{name}");
        }
        assert_eq!(names.pattern(), "app\\*:{*}:info");
        assert_eq!(names.key_of("app*:{%7b}:info", "info"), None, "not of ours");
        assert_eq!(names.key_of("other:{a}:info", "info"), None);
    }
}
