//! Edges in two flat lists, so that a hundred thousand nodes cost a hundred thousand words.

/// For each position a list of positions.
#[derive(Debug, Clone)]
pub(crate) struct Adjacency {
    /// Where each list starts in `targets`, plus the length of `targets`.
    starts: Vec<usize>,
    targets: Vec<u32>,
}

/// The position of the node with this index in a list of nodes.
pub(crate) fn position(index: usize) -> u32 {
    u32::try_from(index).expect("four billion nodes do not fit into memory")
}

impl Adjacency {
    /// Groups edges by their source; each list keeps the order of the edges. Linear, since the
    /// sources are counted instead of compared.
    pub(crate) fn new(count: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; count + 1];
        for (from, _) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let mut free = starts.clone();
        let mut targets = vec![0; starts[count]];
        for (from, to) in edges {
            let slot = &mut free[from as usize];
            targets[*slot] = to;
            *slot += 1;
        }
        Self { starts, targets }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn edge_count(&self) -> usize {
        self.targets.len()
    }

    pub(crate) fn positions(&self) -> std::ops::Range<u32> {
        0..position(self.len())
    }

    pub(crate) fn of(&self, at: u32) -> &[u32] {
        let at = at as usize;
        &self.targets[self.starts[at]..self.starts[at + 1]]
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let lists = self.positions().map(|from| (from, self.of(from)));
        lists.flat_map(|(from, list)| list.iter().map(move |to| (from, *to)))
    }

    /// The same edges seen from the other end. The lists of the result are ascending.
    pub(crate) fn transpose(&self) -> Self {
        Self::new(self.len(), self.edges().map(|(from, to)| (to, from)))
    }

    /// Every edge once, in ascending lists.
    pub(crate) fn distinct(&self) -> Self {
        let sorted = self.transpose().transpose();
        let mut last = None;
        let mut edges: Vec<_> = sorted.edges().collect();
        edges.retain(|edge| last.replace(*edge) != Some(*edge));
        Self::new(self.len(), edges.into_iter())
    }
}
