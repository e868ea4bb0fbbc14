//! A self-contained SVG document.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use unicode_width::UnicodeWidthChar;

use super::{
    Direction, Item, Kind, Picture, Sketch, kinds,
    layout::{self, Layout, NODE_HEIGHT, Place},
};

mod shape;
mod style;

/// Around everything.
const MARGIN: f64 = 28.0;
/// Height of the heading with the space below it.
const HEADING: f64 = 44.0;
/// Between the title and the status beside it.
const HEADING_GAP: f64 = 14.0;
/// Height of a line of the legend.
const LEGEND_LINE: f64 = 30.0;
/// Space for edges that lead back, above the nodes.
const BACK: f64 = 52.0;
/// Longer names lose their middle, unless that would make two nodes look the same; the tooltip has them
/// whole.
const LONGEST: usize = 28;

/// A font by its size and the width of an `n`, in parts of the size. Widths are those of the widest
/// font that a browser may take. Chinese and other wide characters are as wide as they are high.
#[derive(Clone, Copy)]
struct Font {
    size: f64,
    narrow: f64,
    proportional: bool,
}

const NAME: Font = Font::new(13.0, 0.61, false);
const ABOUT: Font = Font::new(11.0, 0.63, true);
const PILL: Font = Font::new(10.0, 0.71, true);
const LEGEND: Font = Font::new(12.0, 0.63, true);
const TITLE: Font = Font::new(18.0, 0.71, true);

impl Font {
    const fn new(size: f64, narrow: f64, proportional: bool) -> Self {
        Self {
            size,
            narrow,
            proportional,
        }
    }

    fn width(self, text: &str) -> f64 {
        (self.size * text.chars().map(|c| self.advance(c)).sum::<f64>()).ceil()
    }

    fn advance(self, c: char) -> f64 {
        let share = match c {
            _ if !self.proportional => 1.0,
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ' ' | '·' => 0.5,
            'f' | 'r' | 't' | '-' => 0.7,
            'm' | 'w' | 'M' | 'W' => 1.45,
            c if c.is_uppercase() => 1.15,
            _ => 1.0,
        };
        match c.width() {
            Some(0) | None => 0.0,
            Some(1) => self.narrow * share,
            Some(_) => 1.0,
        }
    }
}

pub(super) fn draw(picture: &Picture<'_>) -> String {
    let sketch = picture.sketch();
    let names = distinct_names(&sketch);
    let widths: Vec<f64> = sketch
        .items
        .iter()
        .zip(&names)
        .map(|(item, name)| node_width(item, name))
        .collect();
    let down = picture.direction == Direction::Down;
    let layout = if down {
        // Laid out to the right and turned: what is wide then is high here.
        let widest = widths.iter().copied().fold(0.0, f64::max);
        layout::lay_out(&sketch, &vec![NODE_HEIGHT; widths.len()], widest)
    } else {
        layout::lay_out(&sketch, &widths, NODE_HEIGHT)
    };
    let places = places(&layout, &widths, down);
    let back = if sketch.back.is_empty() { 0.0 } else { BACK };
    let (layout_width, layout_height) = if down {
        (layout.height + back, layout.width)
    } else {
        (layout.width, layout.height)
    };
    let kinds = kinds(&sketch);
    let statuses = sketch.items.iter().any(|item| item.status.is_some());

    let status = picture.status.as_ref().map(super::status_text);
    let has_heading = picture.title.is_some() || status.is_some();
    let title = picture.title.as_deref().unwrap_or("workflow");
    let heading_width = TITLE.width(title)
        + status
            .as_deref()
            .map_or(0.0, |status| HEADING_GAP + pill_width(status));
    let inner = layout_width
        .max(if has_heading { heading_width } else { 0.0 })
        .max(300.0);
    let legend = legend(&kinds, inner);
    let top = MARGIN + if has_heading { HEADING } else { 0.0 } + if down { 0.0 } else { back };
    let below = top + layout_height + if statuses { 10.0 } else { 0.0 };
    let height = below + legend.height + MARGIN;
    let width = inner + 2.0 * MARGIN;

    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n<style>\n{}</style>",
        escape(title),
        style::sheet(&kinds)
    );
    out.push_str("<defs>");
    marker(&mut out, "wf-tip");
    if !sketch.back.is_empty() {
        marker(&mut out, "wf-end");
    }
    let _ = writeln!(
        out,
        "</defs>\n<rect class=\"wf-back\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>"
    );
    if has_heading {
        heading(&mut out, title, status.as_deref());
    }
    let _ = writeln!(out, "<g transform=\"translate({MARGIN} {top})\">");
    wires(&mut out, &sketch, &layout, down);
    for ((item, name), place) in sketch.items.iter().zip(&names).zip(&places) {
        node(&mut out, item, name, *place);
    }
    arcs(&mut out, &sketch, &places, down);
    if sketch.items.is_empty() {
        out.push_str("<text class=\"wf-legend\" x=\"0\" y=\"12\">no nodes</text>\n");
    }
    let _ = writeln!(
        out,
        "</g>\n<g transform=\"translate({MARGIN} {below})\">\n{}</g>\n</svg>",
        legend.text
    );
    out
}

/// Where the nodes are drawn.
fn places(layout: &Layout, widths: &[f64], down: bool) -> Vec<Place> {
    let turned = |(place, width): (&Place, &f64)| Place {
        x: (place.y - width / 2.0).round(),
        y: place.x + NODE_HEIGHT / 2.0,
        width: *width,
    };
    if down {
        layout.nodes.iter().zip(widths).map(turned).collect()
    } else {
        layout.nodes.clone()
    }
}

fn heading(out: &mut String, title: &str, status: Option<&str>) {
    let _ = writeln!(
        out,
        "<text class=\"wf-title\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
        MARGIN + 14.0,
        escape(title)
    );
    if let Some(status) = status {
        let x = MARGIN + TITLE.width(title) + HEADING_GAP;
        pill(out, x, MARGIN - 1.0, status);
        out.push('\n');
    }
}

/// The tip of an arrow, under the name of its class.
fn marker(out: &mut String, name: &str) {
    let _ = write!(
        out,
        "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"{name}\" d=\"M0 0.6L8 4L0 7.4Z\"/></marker>"
    );
}

fn node_width(item: &Item<'_>, name: &str) -> f64 {
    let pill = item
        .status
        .as_deref()
        .map_or(0.0, |status| pill_width(status) - 20.0);
    let text = NAME.width(name).max(ABOUT.width(&item.about)).max(pill);
    (text + 48.0).max(116.0)
}

/// The names as they are shown: short, but those whole that would be taken for one another.
fn distinct_names(sketch: &Sketch<'_>) -> Vec<String> {
    let mut seen: HashMap<String, HashSet<&str>> = HashMap::new();
    for item in &sketch.items {
        let wholes = seen.entry(shorten(&item.name)).or_default();
        wholes.insert(&item.name);
    }
    let shown = |item: &Item<'_>| {
        let short = shorten(&item.name);
        let alone = seen.get(&short).is_none_or(|wholes| wholes.len() == 1);
        if alone { short } else { item.name.clone() }
    };
    sketch.items.iter().map(shown).collect()
}

/// The text with its middle left out if it is too long.
fn shorten(text: &str) -> String {
    let width = |text: &str| {
        text.chars()
            .filter_map(UnicodeWidthChar::width)
            .sum::<usize>()
    };
    if width(text) <= LONGEST {
        return text.to_owned();
    }
    let take = |chars: &mut dyn Iterator<Item = char>| {
        let mut used = 0;
        chars
            .take_while(|c| {
                used += c.width().unwrap_or(0);
                used <= (LONGEST - 1) / 2
            })
            .collect::<Vec<char>>()
    };
    let head = take(&mut text.chars());
    let tail = take(&mut text.chars().rev());
    head.into_iter()
        .chain(['…'])
        .chain(tail.into_iter().rev())
        .collect()
}

fn node(out: &mut String, item: &Item<'_>, name: &str, place: Place) {
    let Place { x, y, width } = place;
    let word = item.kind.word();
    let _ = write!(
        out,
        "<g class=\"wf-node wf-{word}\" transform=\"translate({x} {})\">",
        y - NODE_HEIGHT / 2.0
    );
    let status = item
        .status
        .as_deref()
        .map(|status| format!(" · {status}"))
        .unwrap_or_default();
    let tooltip = format!("{} · {}{status}", item.name, item.about);
    let _ = write!(out, "<title>{}</title>", escape(&tooltip));
    shape::draw(out, item.kind, width, NODE_HEIGHT);
    let middle = width / 2.0 + shape::text_shift(item.kind);
    // Two lines in the middle, or a little higher to leave room for the status.
    let line = if item.status.is_some() { 21.0 } else { 23.0 };
    for (class, y, text) in [("name", line, name), ("about", line + 16.0, &item.about)] {
        let text = escape(text);
        let _ = write!(
            out,
            "<text class=\"wf-{class}\" x=\"{middle}\" y=\"{y}\">{text}</text>"
        );
    }
    if let Some(status) = &item.status {
        pill(
            out,
            width - pill_width(status) - 18.0,
            NODE_HEIGHT - 9.0,
            status,
        );
    }
    out.push_str("</g>\n");
}

fn pill_width(status: &str) -> f64 {
    PILL.width(&shorten(status)) + 24.0
}

/// A status: a sign, and the word, on a small plate.
fn pill(out: &mut String, x: f64, y: f64, status: &str) {
    let class = match status {
        "Started" => "started",
        "Starting" | "Stopping" => "changing",
        "Stopped" => "stopped",
        "Ready" => "ready",
        _ => "unclear",
    };
    let _ = write!(
        out,
        "<g class=\"wf-pill wf-{class}\" transform=\"translate({x} {y})\"><rect width=\"{}\" height=\"18\" rx=\"9\"/>\
         <circle cx=\"10\" cy=\"9\" r=\"3.5\"/><text x=\"18\" y=\"12.5\">{}</text></g>",
        pill_width(status),
        escape(&shorten(status))
    );
}

fn wires(out: &mut String, sketch: &Sketch<'_>, layout: &Layout, down: bool) {
    // A point by how far along the edges it is, and how far across.
    let at = |along: f64, across: f64| {
        if down {
            format!("{across} {along}")
        } else {
            format!("{along} {across}")
        }
    };
    let straight = if down { 'V' } else { 'H' };
    for (parent, child, passing) in &layout.edges {
        let from = &layout.nodes[*parent as usize];
        let to = &layout.nodes[*child as usize];
        let inset = if down {
            0.0
        } else {
            shape::left_inset(sketch.items[*child as usize].kind)
        };
        let (mut x, mut y) = (from.x + from.width, from.y);
        let mut d = format!("M{}", at(x, y));
        let mut bend_to = |d: &mut String, next_x: f64, next_y: f64| {
            if (next_y - y).abs() < 0.5 {
                let _ = write!(d, "{straight}{next_x}");
            } else {
                let half = (next_x - x) / 2.0;
                let _ = write!(
                    d,
                    "C{} {} {}",
                    at(x + half, y),
                    at(next_x - half, next_y),
                    at(next_x, next_y)
                );
            }
            (x, y) = (next_x, next_y);
        };
        for place in passing {
            bend_to(&mut d, place.x, place.y);
            bend_to(&mut d, place.x + place.width, place.y);
        }
        bend_to(&mut d, to.x + inset, to.y);
        let _ = writeln!(
            out,
            "<path class=\"wf-wire\" marker-end=\"url(#wf-tip)\" d=\"{d}\"/>"
        );
    }
}

/// Edges that close a cycle, as arcs over the nodes, or beside them.
fn arcs(out: &mut String, sketch: &Sketch<'_>, places: &[Place], down: bool) {
    for (parent, child) in &sketch.back {
        let from = &places[*parent as usize];
        let to = &places[*child as usize];
        let d = if down {
            let (x1, x2) = (from.x + from.width, to.x + to.width);
            let (y1, y2) = (from.y + 10.0, to.y - 10.0);
            let far = x1.max(x2) + BACK;
            format!("M{x1} {y1}C{far} {y1} {far} {y2} {x2} {y2}")
        } else {
            let start = from.x + from.width / 2.0 + 14.0;
            let end = to.x + to.width / 2.0 - 14.0;
            let (y1, y2) = (from.y - NODE_HEIGHT / 2.0, to.y - NODE_HEIGHT / 2.0);
            let high = y1.min(y2) - if parent == child { 36.0 } else { BACK };
            format!("M{start} {y1}C{start} {high} {end} {high} {end} {y2}")
        };
        let _ = writeln!(
            out,
            "<path class=\"wf-wire wf-cycle\" marker-end=\"url(#wf-end)\" d=\"{d}\"/>"
        );
    }
}

struct Legend {
    text: String,
    height: f64,
}

fn legend(kinds: &[Kind], width: f64) -> Legend {
    const SIGN: f64 = 34.0;
    let mut text = String::new();
    let (mut x, mut y) = (0.0, 26.0);
    for kind in kinds {
        let word = kind.word();
        let step = SIGN + 8.0 + LEGEND.width(word) + 22.0;
        if x > 0.0 && x + step - 22.0 > width {
            (x, y) = (0.0, y + LEGEND_LINE);
        }
        let _ = write!(
            text,
            "<g class=\"wf-{word}\" transform=\"translate({x} {y})\">"
        );
        shape::draw(&mut text, *kind, SIGN, 20.0);
        let _ = writeln!(
            text,
            "<text class=\"wf-legend\" x=\"{}\" y=\"14\">{word}</text></g>",
            SIGN + 8.0
        );
        x += step;
    }
    Legend {
        height: if kinds.is_empty() { 0.0 } else { y + 20.0 },
        text,
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
