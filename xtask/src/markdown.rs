//! What the checks want to know of a page.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

#[derive(Default)]
pub(crate) struct Page {
    /// The targets of links and pictures, each with its line.
    pub(crate) links: Vec<(usize, String)>,
    /// What can stand behind a `#`: headings as GitHub names them, and ids given in HTML.
    pub(crate) anchors: Vec<String>,
    /// Headings of the second level.
    pub(crate) sections: usize,
}

pub(crate) fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut title = None::<String>;
    for (event, place) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let line = 1 + text[..place.start].matches('\n').count();
        match event {
            Event::Start(Tag::Link {
                link_type: LinkType::Email,
                ..
            }) => {}
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push((line, dest_url.into_string()));
            }
            Event::Start(Tag::Heading { level, .. }) => {
                page.sections += usize::from(level == HeadingLevel::H2);
                title = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                let anchor = anchor(&page.anchors, &title.take().unwrap_or_default());
                page.anchors.push(anchor);
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(title) = &mut title {
                    title.push_str(&part);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) if !html.starts_with("<!--") => {
                let values = |name: &str| -> Vec<String> {
                    let mark = format!(" {name}=\"");
                    let rest = html.split(&mark).skip(1);
                    rest.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
                        .collect()
                };
                page.anchors.extend([values("id"), values("name")].concat());
                let links = [values("href"), values("src")].concat();
                page.links
                    .extend(links.into_iter().map(|link| (line, link)));
            }
            _ => {}
        }
    }
    page
}

/// The name that GitHub gives a heading; one that is taken gets a number.
fn anchor(taken: &[String], title: &str) -> String {
    let kept = title
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    let slug = kept
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .replace(' ', "-");
    let numbered = (1..).map(|n| format!("{slug}-{n}"));
    let mut names = std::iter::once(slug.clone()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or(slug)
}

#[test]
fn links_and_anchors_are_found_where_they_stand() {
    let page = read(
        "# The `pipeline` command\n## Who?\n```console\n$ a\n[no](no.md)\n```\n## Who?\n\
         [链接](b.md) `[no](no.md)` <a id=\"own\" href=\"c.md\">\n",
    );
    assert_eq!(page.links, [(8, "b.md".to_owned()), (8, "c.md".to_owned())]);
    assert_eq!(
        page.anchors,
        ["the-pipeline-command", "who", "who-1", "own"]
    );
    assert_eq!(page.sections, 2);
}
