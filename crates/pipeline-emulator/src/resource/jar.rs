//! Which classes are in a jar, and whether they can be functions.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

use flate2::read::DeflateDecoder;
use pipeline_proto::ErrorCode;
use rawzip::{CompressionMethod, ZipArchive};

/// Of one class, unpacked. Java allows 64 KiB of code for each of 65,535 methods; nobody writes that.
const MAX_CLASS: u64 = 4 * 1024 * 1024;

/// Of all classes of a jar, unpacked: what is beyond is as good as not there.
const MAX_CLASSES: u64 = 256 * 1024 * 1024;

/// What functions are derived from, by the vendor's tests: the last is looked for in the class itself.
const BASES: &[(&str, Option<&str>)] = &[
    ("org/apache/hadoop/hive/ql/exec/UDF", Some("evaluate")),
    ("org/apache/hadoop/hive/ql/udf/generic/GenericUDF", None),
    ("org/apache/hadoop/hive/ql/udf/generic/GenericUDTF", None),
    (
        "org/apache/hadoop/hive/ql/udf/generic/AbstractGenericUDAFResolver",
        None,
    ),
    (
        "org/apache/hadoop/hive/ql/udf/generic/GenericUDAFResolver",
        None,
    ),
    (
        "org/apache/hadoop/hive/ql/udf/generic/GenericUDAFResolver2",
        None,
    ),
];

struct Class {
    name: String,
    /// The class that it extends, and the interfaces that it implements.
    above: Vec<String>,
    methods: Vec<String>,
}

/// The classes of a jar, each with the code of what keeps it from being a function; none of what is no
/// jar.
pub(super) fn classes(jar: &[u8]) -> BTreeMap<String, Option<ErrorCode>> {
    let classes: BTreeMap<String, Class> = read(jar)
        .into_iter()
        .map(|class| (class.name.clone(), class))
        .collect();
    let names = classes.keys();
    names
        .map(|name| (name.replace('/', "."), fault(&classes, name)))
        .collect()
}

/// What keeps a class from being a function, by what is above it as far as the jar knows.
fn fault(classes: &BTreeMap<String, Class>, name: &str) -> Option<ErrorCode> {
    let (mut waiting, mut seen, mut methods) = (vec![name], BTreeSet::new(), BTreeSet::new());
    let mut base = None;
    while let Some(name) = waiting.pop() {
        if let Some((_, method)) = BASES.iter().find(|(base, _)| *base == name) {
            base = Some(method);
        } else if let Some(class) = classes.get(name).filter(|_| seen.insert(name)) {
            methods.extend(class.methods.iter().map(String::as_str));
            waiting.extend(class.above.iter().map(String::as_str));
        }
    }
    match base {
        None => Some(ErrorCode::UDF_CLASS_KIND_MISMATCH),
        Some(Some(method)) if !methods.contains(method) => Some(ErrorCode::UDF_METHOD_MISSING),
        Some(_) => None,
    }
}

fn read(jar: &[u8]) -> Vec<Class> {
    let (mut classes, mut left) = (Vec::new(), MAX_CLASSES);
    let Ok(archive) = ZipArchive::from_slice(jar) else {
        return classes;
    };
    for entry in archive.entries() {
        let Ok(entry) = entry else { break };
        if !entry.file_path().as_ref().ends_with(b".class") {
            continue;
        }
        let method = entry.compression_method();
        let Ok(packed) = archive.get_entry(entry.wayfinder()) else {
            continue;
        };
        let (mut bytes, most) = (Vec::new(), MAX_CLASS.min(left));
        let read = if method == CompressionMethod::STORE {
            packed.data().take(most).read_to_end(&mut bytes)
        } else if method == CompressionMethod::DEFLATE {
            let unpacked = DeflateDecoder::new(packed.data());
            unpacked.take(most).read_to_end(&mut bytes)
        } else {
            continue;
        };
        left = left.saturating_sub(bytes.len() as u64);
        if read.is_ok() {
            classes.extend(Reader(&bytes).class());
        }
    }
    classes
}

/// Reads a class file (chapter 4 of the specification of the Java virtual machine); `None` wherever it
/// ends too early or refers to nothing.
struct Reader<'a>(&'a [u8]);

/// What of the pool of constants has a use here.
enum Constant<'a> {
    Text(&'a [u8]),
    Class(u16),
    Other,
}

impl<'a> Reader<'a> {
    fn class(&mut self) -> Option<Class> {
        if self.take(4)? != [0xca, 0xfe, 0xba, 0xbe] {
            return None;
        }
        self.take(4)?;
        let pool = self.pool()?;
        let text = |at: u16| match pool.get(usize::from(at))? {
            Constant::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        let class = |at: u16| match pool.get(usize::from(at))? {
            Constant::Class(name) => text(*name),
            _ => None,
        };
        self.number()?;
        let name = class(self.number()?)?;
        let mut above: Vec<String> = class(self.number()?).into_iter().collect();
        for _ in 0..self.number()? {
            above.push(class(self.number()?)?);
        }
        self.members()?;
        let methods = self.members()?;
        Some(Class {
            name,
            above,
            methods: methods.into_iter().filter_map(text).collect(),
        })
    }

    fn pool(&mut self) -> Option<Vec<Constant<'a>>> {
        let count = usize::from(self.number()?);
        let mut pool = vec![Constant::Other];
        while pool.len() < count {
            let tag = self.take(1)?[0];
            let constant = match tag {
                1 => {
                    let length = self.number()?;
                    Constant::Text(self.take(usize::from(length))?)
                }
                7 => Constant::Class(self.number()?),
                tag => {
                    self.take(match tag {
                        8 | 16 | 19 | 20 => 2,
                        15 => 3,
                        3 | 4 | 9..=12 | 17 | 18 => 4,
                        5 | 6 => 8,
                        _ => return None,
                    })?;
                    Constant::Other
                }
            };
            pool.push(constant);
            // Numbers of 64 bits count twice.
            pool.extend(matches!(tag, 5 | 6).then_some(Constant::Other));
        }
        Some(pool)
    }

    /// Fields or methods: where their names are.
    fn members(&mut self) -> Option<Vec<u16>> {
        let mut names = Vec::new();
        for _ in 0..self.number()? {
            self.number()?;
            names.push(self.number()?);
            self.number()?;
            for _ in 0..self.number()? {
                self.number()?;
                let length = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
                self.take(usize::try_from(length).ok()?)?;
            }
        }
        Some(names)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}
