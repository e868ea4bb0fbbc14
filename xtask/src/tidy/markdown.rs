//! Links and headings of Markdown: as much of a parser as the link check needs.

/// The text with fenced code, code spans and comments blank, so that lines stay where they are.
pub(super) fn prose(text: &str) -> String {
    let text = without_comments(&without_fences(text));
    without_code_spans(&text)
}

/// Replaces everything but line ends by blanks. Keeps the length in bytes.
fn blank(text: &str) -> String {
    let keep = |byte| if byte == b'\n' { '\n' } else { ' ' };
    text.bytes().map(keep).collect()
}

fn without_fences(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open = None;
    for line in text.split_inclusive('\n') {
        match (open, fence(line)) {
            (None, None) => out += line,
            (None, Some((mark, length, _))) => {
                open = Some((mark, length));
                out += &blank(line);
            }
            (Some((mark, length)), found) => {
                // A fence closes with at least as many of the same marks, and nothing behind.
                if found.is_some_and(|(m, l, bare)| m == mark && l >= length && bare) {
                    open = None;
                }
                out += &blank(line);
            }
        }
    }
    out
}

/// The mark of a code fence, how often it stands there, and whether it stands alone.
fn fence(line: &str) -> Option<(char, usize, bool)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    (length >= 3).then_some((mark, length, rest.is_empty()))
}

fn without_comments(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, comment)) = rest.split_once("<!--") {
        let length = comment.find("-->").map_or(comment.len(), |end| end + 3);
        out += before;
        out += &blank(&rest[before.len()..before.len() + 4 + length]);
        rest = &comment[length..];
    }
    out + rest
}

fn without_code_spans(text: &str) -> String {
    let ticks = |text: &str| text.bytes().take_while(|byte| *byte == b'`').count();
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(open) = rest.find('`') {
        out += &rest[..open];
        rest = &rest[open..];
        let length = ticks(rest);
        // A span ends at as many ticks as it began with, and at the latest with the paragraph.
        let paragraph = rest.find("\n\n").unwrap_or(rest.len());
        let mut end = length;
        while let Some(next) = rest[end..paragraph].find('`') {
            end += next;
            let run = ticks(&rest[end..]);
            end += run;
            if run == length {
                break;
            }
        }
        let closed = end > length && rest[..end].ends_with(&"`".repeat(length));
        let length = if closed { end } else { length };
        out += &blank(&rest[..length]);
        rest = &rest[length..];
    }
    out + rest
}

/// The targets of all links and pictures, each with where it stands.
pub(super) fn links(prose: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (at, open) in prose.match_indices("](") {
        links.push(target(prose, at + open.len()));
    }
    for mark in ["href=\"", "src=\""] {
        for (at, _) in prose.match_indices(mark) {
            let begin = at + mark.len();
            let end = prose[begin..].find('"').unwrap_or(0);
            links.push((begin, &prose[begin..begin + end]));
        }
    }
    let mut at = 0;
    for line in prose.split_inclusive('\n') {
        if let Some((label, rest)) = line.split_once("]:") {
            let label = label.trim_start();
            if label.starts_with('[') && !label.starts_with("[^") && !label.contains("](") {
                let begin = at + (line.len() - rest.trim_start().len());
                links.push(target(prose, begin));
            }
        }
        at += line.len();
    }
    links.sort_unstable();
    links
}

/// The target that begins at `begin`, without brackets and title.
fn target(prose: &str, begin: usize) -> (usize, &str) {
    let rest = &prose[begin..];
    if let Some(inner) = rest.strip_prefix('<') {
        return (begin + 1, &inner[..inner.find('>').unwrap_or(0)]);
    }
    let mut depth = 0_usize;
    let ends = |c: char| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' if depth > 0 => {
            depth -= 1;
            false
        }
        c => c == ')' || c.is_whitespace(),
    };
    (begin, &rest[..rest.find(ends).unwrap_or(rest.len())])
}

/// The headings of one level.
pub(super) fn headings(text: &str, level: usize) -> usize {
    let text = without_fences(text);
    text.lines()
        .filter(|line| heading(line).is_some_and(|(found, _)| found == level))
        .count()
}

/// What can stand behind a `#` in a link to this file: headings as GitHub names them, and ids given
/// in HTML.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let text = without_comments(&without_fences(text));
    let mut anchors: Vec<String> = Vec::new();
    for (_, title) in text.lines().filter_map(heading) {
        let slug = slug(title);
        let mut unique = slug.clone();
        let mut repeats = 0;
        while anchors.contains(&unique) {
            repeats += 1;
            unique = format!("{slug}-{repeats}");
        }
        anchors.push(unique);
    }
    for mark in [" id=\"", " name=\""] {
        let ids = text
            .split(mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        anchors.extend(ids.map(str::to_owned));
    }
    anchors
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, title.trim()))
}

fn slug(title: &str) -> String {
    // Of a link only its text counts.
    let mut text = String::new();
    let mut rest = title;
    while let Some((before, target)) = rest.split_once("](") {
        text += before;
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    text += rest;
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        let prose = prose(text);
        links(&prose)
            .into_iter()
            .map(|(_, target)| target.to_owned())
            .collect()
    }

    #[test]
    fn links_are_found_in_each_of_their_forms() {
        let cases: &[(&str, &[&str])] = &[
            (
                "see [a](b.md) and [c](d.md#e \"title\")",
                &["b.md", "d.md#e"],
            ),
            ("![picture](img/a.svg)", &["img/a.svg"]),
            ("[![badge](a.svg)](b.md)", &["a.svg", "b.md"]),
            ("[a](<b c.md>) [d](e_(f).md)", &["b c.md", "e_(f).md"]),
            ("[a][one]\n\n[one]: b.md\n", &["b.md"]),
            ("[^1]: a footnote", &[]),
            (
                "<a href=\"b.md\"><img src=\"c.svg\"></a>",
                &["b.md", "c.svg"],
            ),
            ("```\n[a](b.md)\n```\n[c](d.md)", &["d.md"]),
            ("~~~text\n```\n[a](b.md)\n~~~\n[c](d.md)", &["d.md"]),
            ("````md\n```\n[a](b.md)\n```\n````\n[c](d.md)", &["d.md"]),
            ("`[a](b.md)` and ``[a]`(b.md)`` [c](d.md)", &["d.md"]),
            ("a lone ` tick\n\n[c](d.md)", &["d.md"]),
            ("<!-- [a](b.md) --> [c](d.md)", &["d.md"]),
            ("no link", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(&targets(text), expected, "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_source() {
        let text = "`代码` 一\n\n[链接](b.md)\n";
        let prose = prose(text);
        let at = links(&prose)[0].0;
        assert_eq!(crate::tidy::line_at(&prose, at), 3);
    }

    #[test]
    fn headings_become_anchors() {
        let text = "# The `pipeline` command\n## Who may import whom?\n```\n# not one\n```\n\
                    ## A [link](b.md), here\n### 错误码 HTTP\n## Notes\n## Notes\n#hashtag\n\
                    <a id=\"own\"></a>\n";
        assert_eq!(
            anchors(text),
            [
                "the-pipeline-command",
                "who-may-import-whom",
                "a-link-here",
                "错误码-http",
                "notes",
                "notes-1",
                "own"
            ]
        );
        assert_eq!(headings(text, 2), 4);
    }
}
