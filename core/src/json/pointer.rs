//! JSON pointers (RFC 6901).

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json::capture::is;
use crate::json::scan::{Cursor, Scan, space, unescape};

/// The way to a value within a JSON text (RFC 6901), such as `/metadata/name`. The empty pointer is
/// the whole text.
///
/// ```
/// use resourcecache::json::Pointer;
/// let pointer: Pointer = "/metadata/name".parse()?;
/// assert_eq!(pointer.to_string(), "/metadata/name");
/// assert!("metadata".parse::<Pointer>().is_err());
/// # Ok::<(), resourcecache::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer {
    pub(crate) path: Vec<String>,
}

impl FromStr for Pointer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let bad = |problem| Error::bad_input(format!("pointer {text:?}"), problem);
        let Some(rest) = text.strip_prefix('/') else {
            return Err(bad("starts with no slash; write /id, not id"));
        };
        let mut path = Vec::new();
        for part in rest.split('/') {
            if part.replace("~0", "").replace("~1", "").contains('~') {
                return Err(bad("~ must be written ~0, and / within a name ~1"));
            }
            path.push(part.replace("~1", "/").replace("~0", "~"));
        }
        Ok(Self { path })
    }
}

impl TryFrom<String> for Pointer {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path
            .iter()
            .try_for_each(|p| write!(f, "/{}", p.replace('~', "~0").replace('/', "~1")))
    }
}

impl Pointer {
    /// Whether one of the two leads through the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.path.starts_with(&other.path) || other.path.starts_with(&self.path)
    }
}

/// The value of a member of the object that starts at `at` of a validated text. The last of a
/// repeated name counts.
pub(crate) fn member(text: &str, at: usize, name: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut scan, mut found) = (Scan::new(bytes), None);
    let mut at = space(
        bytes,
        bytes.get(at).filter(|b| **b == b'{').map(|_| at + 1)?,
    );
    while bytes.get(at) == Some(&b'"') {
        let end = scan.string(at + 1)?;
        let start = scan.colon(end)?;
        let behind = scan.value(start, 0)?;
        if is(bytes.get(at + 1..end - 1)?, name) {
            found = Some(start..behind);
        }
        let comma = space(bytes, behind);
        at = space(bytes, comma + 1);
    }
    found
}

/// One member of an object: from its name to its value's end, and its value.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) start: usize,
    pub(crate) value: Range<usize>,
}

/// The members of the object that stands at `range` of a validated text; `None` when none does.
pub(crate) fn members(text: &str, range: &Range<usize>) -> Option<Vec<Member>> {
    let mut cursor = Cursor {
        text,
        at: range.start,
    };
    let mut found = Vec::new();
    let done = cursor.members(0, |cursor, name, _| {
        let start = cursor.at;
        cursor.value(0)?;
        let before = text[..start].rfind(name).unwrap_or(start);
        found.push(Member {
            name: unescape(name).unwrap_or_else(|| name.to_string()),
            start: before,
            value: start..cursor.at,
        });
        Ok(())
    });
    done.ok().map(|()| found)
}

/// The value at `path` of a validated text. The last of a repeated name counts.
pub(crate) fn find(text: &str, path: &[String]) -> Option<Range<usize>> {
    let mut range = whole(text);
    for name in path {
        range = if text.as_bytes().get(range.start) == Some(&b'[') {
            element(text, &range, name)?
        } else {
            member(text, range.start, name)?
        };
    }
    Some(range)
}

/// The text without the space around it.
pub(crate) fn whole(text: &str) -> Range<usize> {
    let space = [' ', '\t', '\n', '\r'];
    let start = text.len() - text.trim_start_matches(space).len();
    start..text.trim_end_matches(space).len()
}

/// Where the elements of the array stand that stands at `range` of a validated text; `None` when none
/// does.
pub(crate) fn elements(text: &str, range: &Range<usize>) -> Option<Vec<Range<usize>>> {
    text.as_bytes().get(range.start).filter(|b| **b == b'[')?;
    let mut found = Vec::new();
    let mut cursor = Cursor {
        text,
        at: range.start,
    };
    let done = cursor.elements(0, |cursor, _| {
        let start = cursor.at;
        cursor.value(0)?;
        found.push(start..cursor.at);
        Ok(())
    });
    done.ok().map(|()| found)
}

fn element(text: &str, range: &Range<usize>, name: &str) -> Option<Range<usize>> {
    let plain = name == "0" || (!name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit()));
    let wanted: usize = name.parse().ok().filter(|_| plain)?;
    let (mut index, mut found) = (0, None);
    let mut cursor = Cursor {
        text,
        at: range.start,
    };
    cursor
        .elements(0, |cursor, _| {
            let start = cursor.at;
            cursor.value(0)?;
            if index == wanted {
                found = Some(start..cursor.at);
            }
            index += 1;
            Ok(())
        })
        .ok()?;
    found
}
