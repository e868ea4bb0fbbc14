use std::collections::VecDeque;

use super::adjacency::Adjacency;

/// The length of the longest path to each node, and which nodes no order can be given for because
/// they are on a cycle or behind one.
pub(crate) fn levels(children: &Adjacency) -> (Vec<u32>, Vec<bool>) {
    let mut missing_parents = vec![0_usize; children.len()];
    for (_, child) in children.edges() {
        missing_parents[child as usize] += 1;
    }
    let mut ready: Vec<u32> = children
        .positions()
        .filter(|at| missing_parents[*at as usize] == 0)
        .collect();
    let mut levels = vec![0; children.len()];
    let mut blocked = vec![true; children.len()];
    while let Some(at) = ready.pop() {
        blocked[at as usize] = false;
        let below = levels[at as usize] + 1;
        for child in children.of(at) {
            let child_at = *child as usize;
            levels[child_at] = below.max(levels[child_at]);
            missing_parents[child_at] -= 1;
            if missing_parents[child_at] == 0 {
                ready.push(*child);
            }
        }
    }
    (levels, blocked)
}

/// One cycle for each strongly connected component among the blocked nodes, in the order of the
/// components' first nodes: the shortest cycle through that node, starting with it.
pub(super) fn name(children: &Adjacency, blocked: &[bool]) -> Vec<Vec<u32>> {
    if !blocked.contains(&true) {
        return Vec::new();
    }
    let component = components(children, blocked);
    let mut done = vec![false; children.len()];
    let mut previous = vec![None; children.len()];
    let mut cycles = Vec::new();
    for start in children.positions().filter(|at| blocked[*at as usize]) {
        let group = component[start as usize];
        // Positions ascend, so the first node seen of a component is its first one.
        if !std::mem::replace(&mut done[group as usize], true) {
            let inside = |at: u32| component[at as usize] == group;
            cycles.extend(shortest_cycle(children, start, inside, &mut previous));
        }
    }
    cycles
}

/// `previous` is all `None` for nodes of this component before the call.
fn shortest_cycle(
    children: &Adjacency,
    start: u32,
    inside: impl Fn(u32) -> bool,
    previous: &mut [Option<u32>],
) -> Option<Vec<u32>> {
    let mut waiting = VecDeque::from([start]);
    while let Some(at) = waiting.pop_front() {
        for child in children.of(at).iter().copied().filter(|at| inside(*at)) {
            if child == start {
                let mut cycle = vec![at];
                let mut at = at;
                while at != start {
                    at = previous[at as usize].unwrap_or(start);
                    cycle.push(at);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if previous[child as usize].is_none() {
                previous[child as usize] = Some(at);
                waiting.push_back(child);
            }
        }
    }
    // A component of one node without an edge to itself: behind a cycle, not on one.
    None
}

/// Kosaraju's algorithm without recursion: numbers of strongly connected components.
fn components(children: &Adjacency, blocked: &[bool]) -> Vec<u32> {
    let mut finished = Vec::new();
    let mut seen = vec![false; children.len()];
    for start in children.positions().filter(|at| blocked[*at as usize]) {
        if std::mem::replace(&mut seen[start as usize], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            // A child of a blocked node is blocked.
            if let Some(child) = children.of(*at).get(*next).copied() {
                *next += 1;
                if !std::mem::replace(&mut seen[child as usize], true) {
                    path.push((child, 0));
                }
            } else {
                finished.push(*at);
                path.pop();
            }
        }
    }
    let parents = children.transpose();
    let mut component = vec![u32::MAX; children.len()];
    for start in finished.into_iter().rev() {
        let mut waiting = vec![start];
        while let Some(at) = waiting.pop() {
            if blocked[at as usize] && component[at as usize] == u32::MAX {
                component[at as usize] = start;
                waiting.extend_from_slice(parents.of(at));
            }
        }
    }
    component
}
