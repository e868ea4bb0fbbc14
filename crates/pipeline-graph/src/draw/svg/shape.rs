//! The outlines of nodes.

use std::fmt::Write as _;

use super::{Kind, NODE_HEIGHT};

/// Draws the outline of a node of this size, with what is inside of it.
pub(super) fn draw(out: &mut String, kind: Kind, width: f64, height: f64) {
    // The signs of the legend are small; tenths make short texts.
    let scaled = |length: f64| {
        let length = (length * height / NODE_HEIGHT).max(length * 0.45);
        (length * 10.0).round() / 10.0
    };
    let middle = height / 2.0;
    let mut inside = String::new();
    let outline = match kind {
        // A pipe, lying.
        Kind::Repo => {
            let round = scaled(10.0);
            let end = width - round;
            let cap = format!("A{round} {middle} 0 0");
            inside = format!("M{end} 0{cap} 0 {end} {height}");
            format!("M{round} 0H{end}{cap} 1 {end} {height}H{round}{cap} 1 {round} 0Z")
        }
        // A hexagon.
        Kind::Transform => {
            let tip = scaled(16.0);
            let end = width - tip;
            format!("M{tip} 0H{end}L{width} {middle}L{end} {height}H{tip}L0 {middle}Z")
        }
        // A signpost.
        Kind::Export => {
            let end = width - scaled(18.0);
            let left = rounded_left(height, scaled(8.0));
            format!("M{end} 0L{width} {middle}L{end} {height}{left}Z")
        }
        // A sheet with its corner folded.
        Kind::Datasource => {
            let (round, fold) = (scaled(7.0), scaled(14.0));
            let (end, bottom) = (width - fold, height - round);
            let left = rounded_left(height, round);
            inside = format!("M{end} 0V{fold}H{width}");
            format!(
                "M{end} 0L{width} {fold}V{bottom}A{round} {round} 0 0 1 {} {height}{left}Z",
                width - round
            )
        }
        // A box with a bar at either side.
        Kind::Job => {
            let bar = scaled(10.0);
            inside = format!("M{bar} 0V{height}M{} 0V{height}", width - bar);
            rounded(width, height, scaled(5.0))
        }
        // A ribbon.
        Kind::ExportBatch => {
            let tip = scaled(16.0);
            let end = width - tip;
            format!("M0 0H{end}L{width} {middle}L{end} {height}H0L{tip} {middle}Z")
        }
        Kind::Other => rounded(width, height, scaled(9.0)),
    };
    // Writing to a string cannot fail.
    let _ = write!(out, "<path class=\"wf-shape\" d=\"{outline}\"/>");
    if !inside.is_empty() {
        let _ = write!(out, "<path class=\"wf-inside\" d=\"{inside}\"/>");
    }
}

/// From the lower edge round two corners to the upper edge.
fn rounded_left(height: f64, round: f64) -> String {
    let (arc, bottom) = (format!("A{round} {round} 0 0 1"), height - round);
    format!("H{round}{arc} 0 {bottom}V{round}{arc} {round} 0")
}

fn rounded(width: f64, height: f64, round: f64) -> String {
    let (arc, end, bottom) = (
        format!("A{round} {round} 0 0 1"),
        width - round,
        height - round,
    );
    let left = rounded_left(height, round);
    format!("M{end} 0{arc} {width} {round}V{bottom}{arc} {end} {height}{left}Z")
}

/// How far from the left an edge meets the outline, half way down.
pub(super) fn left_inset(kind: Kind) -> f64 {
    if kind == Kind::ExportBatch { 16.0 } else { 0.0 }
}

/// How far from the middle the text stands, so that it looks as if it stood in the middle.
pub(super) fn text_shift(kind: Kind) -> f64 {
    match kind {
        Kind::Repo => -4.0,
        Kind::Export => -5.0,
        Kind::ExportBatch => 2.0,
        _ => 0.0,
    }
}
