//! Jars of classes without code.

use std::io::Write as _;

use flate2::{Compression, write::DeflateEncoder};
use rawzip::{CompressionMethod, ZipArchiveWriter};

const UDF: &str = "org/apache/hadoop/hive/ql/exec/UDF";
const GENERIC: &str = "org/apache/hadoop/hive/ql/udf/generic/GenericUDF";
const RESOLVER: &str = "org/apache/hadoop/hive/ql/udf/generic/GenericUDAFResolver";
const OBJECT: &str = "java/lang/Object";

/// The bytes of a jar of this name, if there is an `@` in front of it, else the text.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix('@') {
        None => text.as_bytes().to_vec(),
        // As far as is known what the one of the vendor's tests has in it, and more.
        Some("functions") => jar(&[
            class("com/lala/A", OBJECT, None, &["evaluate"]),
            class("com/lala/B", UDF, None, &["<init>"]),
            class("com/lala/D", UDF, None, &["<init>", "evaluate"]),
            class("com/lala/E", "com/lala/D", None, &["<init>"]),
            class("com/lala/F", GENERIC, None, &["initialize"]),
            class("com/lala/G", OBJECT, Some(RESOLVER), &["getEvaluator"]),
            class("com/lala/H", "com/lala/I", None, &["evaluate"]),
            class("com/lala/I", "com/lala/H", None, &["evaluate"]),
            b"\xca\xfe\xba\xbe\0\0\0\x34\xff\xff\x01\xff\xff".to_vec(),
            b"no class".to_vec(),
        ]),
        Some("parser") => jar(&[class("com/example/P", OBJECT, None, &["parse"])]),
        Some("cut") => {
            let mut whole = bytes("@functions");
            whole.truncate(whole.len() / 2);
            whole
        }
        // More than other bodies may have, and more than jars may have.
        Some("big") => vec![0; 3 << 20],
        Some("huge") => vec![0; 101 << 20],
        Some(other) => panic!("no jar {other}"),
    }
}

/// Every second file is compressed.
fn jar(classes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (number, class) in classes.iter().enumerate() {
        let name = format!("{number}.class");
        let method = [CompressionMethod::STORE, CompressionMethod::DEFLATE][number % 2];
        let (mut entry, config) = archive
            .new_file(&name)
            .compression_method(method)
            .start()
            .unwrap();
        let descriptor = if method == CompressionMethod::STORE {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(class).unwrap();
            writer.finish().unwrap().1
        } else {
            let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::fast()));
            writer.write_all(class).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// A class file with one field and these methods.
fn class(name: &str, above: &str, interface: Option<&str>, methods: &[&str]) -> Vec<u8> {
    let mut pool = Pool::default();
    // A number of 64 bits, which takes two places.
    pool.add(&[5, 0, 0, 0, 0, 0, 0, 0, 1]);
    pool.places += 1;
    let (name, above) = (pool.class(name), pool.class(above));
    let interface = interface.map(|interface| pool.class(interface));
    let (field, code) = (pool.text("field"), pool.text("Code"));
    let methods: Vec<u16> = methods.iter().map(|method| pool.text(method)).collect();

    let flag = u16::from(interface.is_some());
    let mut numbers = vec![0x21, name, above, flag];
    numbers.extend(interface);
    // Access, name, type and the number of attributes.
    numbers.extend([1, 0, field, field, 0]);
    numbers.push(u16::try_from(methods.len()).unwrap());
    for method in methods {
        // With code of four bytes.
        numbers.extend([1, method, field, 1, code, 0, 4, 0, 0]);
    }
    numbers.push(0);
    let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
    let head = b"\xca\xfe\xba\xbe\0\0\0\x34".iter().copied();
    let count = (pool.places + 1).to_be_bytes();
    head.chain(count).chain(pool.bytes).chain(numbers).collect()
}

#[derive(Default)]
struct Pool {
    bytes: Vec<u8>,
    places: u16,
}

impl Pool {
    fn add(&mut self, constant: &[u8]) -> u16 {
        self.bytes.extend(constant);
        self.places += 1;
        self.places
    }

    fn text(&mut self, text: &str) -> u16 {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        self.add(&[&[1][..], &length, text.as_bytes()].concat())
    }

    fn class(&mut self, name: &str) -> u16 {
        let name = self.text(name).to_be_bytes();
        self.add(&[&[7][..], &name].concat())
    }
}
