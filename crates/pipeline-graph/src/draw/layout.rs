//! Where everything stands in the SVG: columns by level, rows by what is connected.

use super::{Sketch, order};
use crate::graph::Adjacency;

/// Height of a node; all lengths are in pixels.
pub(super) const NODE_HEIGHT: f64 = 52.0;
/// Between two columns.
const COLUMN_GAP: f64 = 76.0;
/// Between two nodes of a column.
const NODE_GAP: f64 = 30.0;
/// Between an edge that passes a column and what is above or below it.
const EDGE_GAP: f64 = 18.0;
/// Between parts that no edge connects.
const PART_GAP: f64 = 34.0;
/// Edges are led around nodes as long as there are not more bends than this for each node.
const BENDS_PER_NODE: usize = 40;

/// The places of nodes and edges, from (0, 0).
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// For each node its left edge, its middle from above, and its width.
    pub(super) nodes: Vec<Place>,
    /// For each edge its parent and child, and the columns that it passes on the way.
    pub(super) edges: Vec<(u32, u32, Vec<Place>)>,
}

#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
}

/// Nodes, and behind them the places where edges pass a column.
struct Vertices {
    levels: Vec<u32>,
    nodes: usize,
    /// Height of a node.
    breadth: f64,
    down: Adjacency,
    up: Adjacency,
    /// For each edge its parent and child, and its passing places.
    edges: Vec<(u32, u32, std::ops::Range<u32>)>,
}

/// Lays out nodes of the given widths and one height, from left to right.
pub(super) fn lay_out(sketch: &Sketch<'_>, widths: &[f64], breadth: f64) -> Layout {
    let vertices = Vertices::new(sketch, breadth);
    let columns = columns(&vertices, widths);
    let mut y = vec![0.0; vertices.levels.len()];
    let mut top = 0.0;
    let parts = parts(&vertices);
    let first_single = parts.partition_point(|part| part.len() > 1);
    let (connected, single) = parts.split_at(first_single);
    let rows = single.chunks(columns.len().max(1)).map(<[_]>::concat);
    for part in connected.iter().cloned().chain(rows) {
        let mut levels: Vec<Vec<u32>> = vec![Vec::new(); columns.len()];
        for vertex in part {
            levels[vertices.levels[vertex as usize] as usize].push(vertex);
        }
        levels.retain(|level| !level.is_empty());
        order::reduce_crossings(&mut levels, &vertices.up, &vertices.down);
        align(&levels, &vertices, &mut y);
        straighten(&levels, &vertices, &mut y);
        let reach = |vertex: u32| vertices.half_height(vertex);
        let all = || levels.iter().flatten();
        let first = all()
            .map(|vertex| y[*vertex as usize] - reach(*vertex))
            .fold(f64::INFINITY, f64::min);
        let shift = top - first;
        for vertex in all() {
            let y = &mut y[*vertex as usize];
            // Whole pixels, for sharp lines and short texts.
            *y = (*y + shift).round();
        }
        let last = all()
            .map(|vertex| y[*vertex as usize] + reach(*vertex))
            .fold(top, f64::max);
        top = last + PART_GAP;
    }
    let place = |vertex: u32| {
        let (x, width) = columns[vertices.levels[vertex as usize] as usize];
        Place {
            x,
            y: y[vertex as usize],
            width,
        }
    };
    let edges = vertices
        .edges
        .iter()
        .map(|(parent, child, passing)| (*parent, *child, passing.clone().map(place).collect()));
    Layout {
        width: columns.last().map_or(0.0, |(x, width)| x + width),
        height: (top - PART_GAP).max(0.0),
        nodes: sketch.children.positions().map(place).collect(),
        edges: edges.collect(),
    }
}

impl Vertices {
    fn new(sketch: &Sketch<'_>, breadth: f64) -> Self {
        let children = &sketch.children;
        let nodes = children.len();
        let mut levels = sketch.levels.clone();
        // A root stands close to the first node that reads from it.
        for at in children
            .positions()
            .filter(|at| sketch.levels[*at as usize] == 0)
        {
            let first = children
                .of(at)
                .iter()
                .map(|child| sketch.levels[*child as usize])
                .min();
            levels[at as usize] = first.map_or(0, |level| level - 1);
        }
        spread_single_nodes(children, &mut levels);
        let span = |(parent, child): (u32, u32)| levels[child as usize] - levels[parent as usize];
        let bends: usize = children.edges().map(|edge| span(edge) as usize - 1).sum();
        let lead_around = bends <= nodes.saturating_mul(BENDS_PER_NODE);
        let mut segments = Vec::new();
        let mut edges = Vec::new();
        for (parent, child) in children.edges() {
            let first = crate::graph::position(levels.len());
            let mut at = parent;
            let between = levels[parent as usize] + 1..levels[child as usize];
            for level in between.filter(|_| lead_around) {
                let next = crate::graph::position(levels.len());
                levels.push(level);
                segments.push((at, next));
                at = next;
            }
            if lead_around || levels[parent as usize] + 1 == levels[child as usize] {
                segments.push((at, child));
            }
            edges.push((parent, child, first..crate::graph::position(levels.len())));
        }
        let down = Adjacency::new(levels.len(), segments.into_iter());
        Self {
            up: down.transpose(),
            down,
            levels,
            nodes,
            breadth,
            edges,
        }
    }

    fn is_node(&self, vertex: u32) -> bool {
        (vertex as usize) < self.nodes
    }

    /// How far a vertex reaches above and below its middle.
    fn half_height(&self, vertex: u32) -> f64 {
        if self.is_node(vertex) {
            self.breadth / 2.0
        } else {
            0.0
        }
    }
}

/// Nodes without edges stand side by side, in rows as long as the picture is wide.
fn spread_single_nodes(children: &Adjacency, levels: &mut [u32]) {
    const SHORTEST: u32 = 4;
    let parents = children.transpose();
    let columns = levels.iter().max().map_or(1, |top| top + 1).max(SHORTEST);
    let mut column = 0;
    for at in children.positions() {
        if children.of(at).is_empty() && parents.of(at).is_empty() {
            levels[at as usize] = column;
            column = (column + 1) % columns;
        }
    }
}

/// Left edge and width of each column.
fn columns(vertices: &Vertices, widths: &[f64]) -> Vec<(f64, f64)> {
    let count = vertices
        .levels
        .iter()
        .max()
        .map_or(0, |top| *top as usize + 1);
    let mut columns = vec![(0.0, 0.0); count];
    for (level, width) in vertices.levels.iter().zip(widths) {
        let widest: &mut f64 = &mut columns[*level as usize].1;
        *widest = widest.max(*width);
    }
    let mut x = 0.0;
    for column in &mut columns {
        column.0 = x;
        x += column.1 + COLUMN_GAP;
    }
    columns
}

/// The vertices that edges connect with each other: the largest part first, else by first node.
/// Within a part vertices come in the order of a walk, which is a fair start for [`order`].
fn parts(vertices: &Vertices) -> Vec<Vec<u32>> {
    let mut seen = vec![false; vertices.levels.len()];
    let mut parts = Vec::new();
    for start in vertices.down.positions() {
        let mut part = Vec::new();
        let mut waiting = vec![start];
        while let Some(vertex) = waiting.pop() {
            if !std::mem::replace(&mut seen[vertex as usize], true) {
                part.push(vertex);
                waiting.extend(vertices.up.of(vertex).iter().rev());
                waiting.extend(vertices.down.of(vertex).iter().rev());
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

/// Gives each vertex of a part its height: close to its neighbours, in the order of its level,
/// and at a distance from the next one.
fn align(levels: &[Vec<u32>], vertices: &Vertices, y: &mut [f64]) {
    const ROUNDS: usize = 10;
    for level in levels {
        let mut next = 0.0;
        for pair in 0..level.len() {
            if pair > 0 {
                next += distance(vertices, level[pair - 1], level[pair]);
            }
            y[level[pair] as usize] = next;
        }
    }
    for round in 0..ROUNDS {
        for level in levels.iter().skip(1) {
            settle(level, vertices, &[&vertices.up], y);
        }
        for level in levels.iter().rev().skip(1) {
            settle(level, vertices, &[&vertices.down], y);
        }
        if round + 1 == ROUNDS {
            for level in levels {
                settle(level, vertices, &[&vertices.up, &vertices.down], y);
            }
        }
    }
}

/// Distance between the middles of two vertices that follow each other.
fn distance(vertices: &Vertices, above: u32, below: u32) -> f64 {
    let nodes = vertices.is_node(above) && vertices.is_node(below);
    vertices.half_height(above)
        + vertices.half_height(below)
        + if nodes { NODE_GAP } else { EDGE_GAP }
}

/// Moves each vertex of a level as close as possible to the mean of its neighbours: the least sum
/// of squares under the constraint of order and distance, by pooling adjacent violators.
fn settle(level: &[u32], vertices: &Vertices, sides: &[&Adjacency], y: &mut [f64]) {
    struct Pool {
        mean: f64,
        weight: f64,
        count: usize,
    }
    let mut pools: Vec<Pool> = Vec::with_capacity(level.len());
    let mut offset = 0.0;
    for (index, vertex) in level.iter().enumerate() {
        if index > 0 {
            offset += distance(vertices, level[index - 1], *vertex);
        }
        let (mut sum, mut weight) = (0.0, 0.0);
        for neighbour in sides.iter().flat_map(|side| side.of(*vertex)) {
            // Long edges are to be straight before all else.
            let pull = match (vertices.is_node(*vertex), vertices.is_node(*neighbour)) {
                (true, true) => 1.0,
                (false, false) => 8.0,
                _ => 2.0,
            };
            sum += pull * y[*neighbour as usize];
            weight += pull;
        }
        if weight == 0.0 {
            (sum, weight) = (0.01 * y[*vertex as usize], 0.01);
        }
        let mut pool = Pool {
            mean: sum / weight - offset,
            weight,
            count: 1,
        };
        while let Some(last) = pools.pop_if(|last| last.mean > pool.mean) {
            let weight = last.weight + pool.weight;
            pool = Pool {
                mean: (last.mean * last.weight + pool.mean * pool.weight) / weight,
                weight,
                count: last.count + pool.count,
            };
        }
        pools.push(pool);
    }
    let mut offset = 0.0;
    let means = pools
        .iter()
        .flat_map(|pool| std::iter::repeat_n(pool.mean, pool.count));
    for (index, (vertex, mean)) in level.iter().zip(means).enumerate() {
        if index > 0 {
            offset += distance(vertices, level[index - 1], *vertex);
        }
        y[*vertex as usize] = mean + offset;
    }
}

/// Puts all bends of an edge at one height where there is room, so that long edges run straight.
fn straighten(levels: &[Vec<u32>], vertices: &Vertices, y: &mut [f64]) {
    let mut around = vec![(None, None); y.len()];
    for level in levels {
        for (index, vertex) in level.iter().enumerate() {
            let above = index.checked_sub(1).map(|above| level[above]);
            around[*vertex as usize] = (above, level.get(index + 1).copied());
        }
    }
    let part = levels
        .iter()
        .flatten()
        .filter(|vertex| !vertices.is_node(**vertex));
    // The first bend stands for the edge.
    let starts = part.filter(|vertex| {
        vertices
            .up
            .of(**vertex)
            .iter()
            .all(|up| vertices.is_node(*up))
    });
    for start in starts {
        let mut bends = vec![*start];
        while let [next] = *vertices.down.of(bends[bends.len() - 1])
            && !vertices.is_node(next)
        {
            bends.push(next);
        }
        // What all bends can reach without leaving their place in their columns.
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut sum = 0.0;
        for bend in &bends {
            let (above, below) = around[*bend as usize];
            if let Some(above) = above {
                low = low.max(y[above as usize] + distance(vertices, above, *bend));
            }
            if let Some(below) = below {
                high = high.min(y[below as usize] - distance(vertices, *bend, below));
            }
            sum += y[*bend as usize];
        }
        if let (true, Ok(count)) = (low <= high, u32::try_from(bends.len())) {
            let height = (sum / f64::from(count)).clamp(low, high);
            for bend in bends {
                y[bend as usize] = height;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Picture;
    use pipeline_proto::model::{Node, NodeRef, NodeType, Nodes};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nodes_stand_apart_and_edges_lead_to_the_right(
            count in 1..30_usize,
            edges in proptest::collection::vec((0..30_usize, 0..30_usize), 0..60),
        ) {
            let reference = |at: usize| NodeRef::new(format!("n{at}"), NodeType::from("lake"));
            let mut nodes = Nodes::new();
            for at in 0..count {
                let mut node = Node::default();
                node.name = format!("n{at}");
                node.node_type = NodeType::from("lake");
                let children = edges.iter().filter(|edge| edge.0 == at && edge.1 < count);
                node.children = children.map(|edge| reference(edge.1)).collect();
                nodes.insert(node.id(), node);
            }
            let picture = Picture::new(&nodes);
            let sketch = picture.sketch();
            let layout = lay_out(&sketch, &vec![100.0; count], NODE_HEIGHT);
            for (index, a) in layout.nodes.iter().enumerate() {
                prop_assert!(a.x >= 0.0 && a.x + a.width <= layout.width);
                prop_assert!(a.y >= NODE_HEIGHT / 2.0 && a.y + NODE_HEIGHT / 2.0 <= layout.height);
                for b in &layout.nodes[index + 1..] {
                    // Rounding may take a pixel.
                    let apart = (a.y - b.y).abs() >= NODE_HEIGHT + NODE_GAP - 1.0;
                    prop_assert!((a.x - b.x).abs() > 1.0 || apart);
                }
            }
            for (parent, child, passing) in &layout.edges {
                let mut x = layout.nodes[*parent as usize].x;
                for place in passing.iter().chain([&layout.nodes[*child as usize]]) {
                    prop_assert!(place.x > x);
                    x = place.x;
                }
            }
        }
    }
}
