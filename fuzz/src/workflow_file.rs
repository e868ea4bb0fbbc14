//! A text, read as a workflow file in both notations.

use pipeline_graph::{
    Graph,
    file::{Format, Secrets, WorkflowFile},
    lint::lint_text,
};

/// # Panics
///
/// If a file cannot be judged, or a workflow is another one after it was written and read again.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for format in [Format::Yaml, Format::Json] {
        check(text, format);
    }
}

fn check(text: &str, format: Format) {
    let findings = lint_text(text, format);
    for finding in &findings {
        assert!(!finding.to_string().is_empty());
    }
    let file = match WorkflowFile::parse(text, format) {
        Ok(file) => file,
        Err(error) => {
            assert!(!findings.is_empty(), "{error}");
            return;
        }
    };
    let Ok(definition) = file.resolve(|name| Some(format!("<{name}>"))) else {
        return;
    };
    // What a node says of itself may contradict its key. That is a finding, and edges to such a node
    // have no one meaning.
    if definition.nodes.iter().any(|(id, node)| node.id() != *id) {
        assert!(!findings.is_empty());
        return;
    }
    if let Err(error) = Graph::new(&definition.nodes) {
        assert!(!error.findings().is_empty());
    }
    for format in [Format::Yaml, Format::Json] {
        let masked = definition.write(format, Secrets::Mask);
        let Ok(written) = definition.write(format, Secrets::Show) else {
            assert!(masked.is_err());
            continue;
        };
        let again = WorkflowFile::parse(&written.text, format)
            .and_then(|file| file.resolve(|_| None))
            .unwrap_or_else(|error| panic!("{error}\n{}", written.text));
        assert_eq!(again, definition, "{}", written.text);
    }
}
