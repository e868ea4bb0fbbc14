//! In which order the vertices of a level stand, so that few edges cross: the barycenter method.

use crate::graph::Adjacency;

/// How often the levels are gone through, there and back.
const SWEEPS: usize = 12;

/// Reorders the vertices of each level. Edges lead from one level to the next.
pub(super) fn reduce_crossings(levels: &mut [Vec<u32>], up: &Adjacency, down: &Adjacency) {
    let mut places = vec![0; up.len()];
    for level in levels.iter() {
        note_places(level, &mut places);
    }
    let mut best = levels.to_vec();
    let mut fewest = crossings(levels, down, &places);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        // Each level follows the one before it, in the direction of the sweep.
        if sweep % 2 == 0 {
            levels
                .iter_mut()
                .skip(1)
                .for_each(|level| follow(level, up, &mut places));
        } else {
            levels
                .iter_mut()
                .rev()
                .skip(1)
                .for_each(|level| follow(level, down, &mut places));
        }
        let now = crossings(levels, down, &places);
        if now < fewest {
            fewest = now;
            best.clone_from_slice(levels);
        }
    }
    levels.clone_from_slice(&best);
}

fn note_places(level: &[u32], places: &mut [u32]) {
    for (place, vertex) in (0..).zip(level) {
        places[*vertex as usize] = place;
    }
}

/// Sorts a level by the mean place of each vertex's neighbours; one without neighbours stays.
fn follow(level: &mut [u32], neighbours: &Adjacency, places: &mut [u32]) {
    let mean = |vertex: u32| {
        let around = neighbours.of(vertex);
        let sum: f64 = around
            .iter()
            .map(|at| f64::from(places[*at as usize]))
            .sum();
        match u32::try_from(around.len()) {
            Ok(count) if count > 0 => sum / f64::from(count),
            _ => f64::from(places[vertex as usize]),
        }
    };
    level.sort_by_cached_key(|vertex| {
        let mean = mean(*vertex);
        // Means are not negative, so that their bits are in their order.
        (mean.to_bits(), places[*vertex as usize])
    });
    note_places(level, places);
}

/// How many pairs of edges cross, in time n log n.
fn crossings(levels: &[Vec<u32>], down: &Adjacency, places: &[u32]) -> usize {
    let mut count = 0;
    for level in levels {
        // How many edges so far end at each place and before it, as a Fenwick tree.
        let ends = level.iter().flat_map(|vertex| down.of(*vertex));
        let width = ends
            .map(|end| places[*end as usize] as usize + 1)
            .max()
            .unwrap_or(0);
        let mut tree = vec![0_usize; width + 1];
        let mut edges = 0;
        for vertex in level {
            let mut ends: Vec<usize> = down
                .of(*vertex)
                .iter()
                .map(|end| places[*end as usize] as usize + 1)
                .collect();
            ends.sort_unstable();
            for end in &ends {
                let mut before = 0;
                let mut at = *end;
                while at > 0 {
                    before += tree[at];
                    at &= at - 1;
                }
                count += edges - before;
            }
            for end in &ends {
                edges += 1;
                let mut at = *end;
                while at <= width {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(upper: usize, lower: usize, edges: &[(u32, u32)]) -> usize {
        let down = Adjacency::new(upper + lower, edges.iter().copied());
        let positions =
            |range: std::ops::Range<usize>| range.map(|at| u32::try_from(at).unwrap()).collect();
        let levels: [Vec<u32>; 2] = [positions(0..upper), positions(upper..upper + lower)];
        let mut places = vec![0; upper + lower];
        for level in &levels {
            note_places(level, &mut places);
        }
        crossings(&levels, &down, &places)
    }

    #[test]
    fn crossings_are_counted() {
        assert_eq!(count(2, 2, &[(0, 2), (1, 3)]), 0);
        assert_eq!(count(2, 2, &[(0, 3), (1, 2)]), 1);
        assert_eq!(count(2, 2, &[(0, 2), (0, 3), (1, 2), (1, 3)]), 1);
        assert_eq!(count(3, 3, &[(0, 5), (1, 4), (2, 3)]), 3);
        assert_eq!(count(3, 1, &[(0, 3), (1, 3), (2, 3)]), 0);
    }

    #[test]
    fn a_tangle_is_undone() {
        let edges = [(0, 5), (1, 4), (2, 3), (3, 6), (4, 7), (5, 8)];
        let down = Adjacency::new(9, edges.iter().copied());
        let mut levels = vec![vec![0, 1, 2], vec![3, 4, 5], vec![8, 6, 7]];
        reduce_crossings(&mut levels, &down.transpose(), &down);
        assert_eq!(levels, [vec![0, 1, 2], vec![5, 4, 3], vec![8, 7, 6]]);
    }
}
