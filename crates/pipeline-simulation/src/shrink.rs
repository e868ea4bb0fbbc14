//! Makes a failing run small: takes away what it does not need to fail.

use super::{
    Config,
    scenario::{CLIENTS, HANDS, ITEMS},
    trouble::Trouble,
};

/// Leaves out troubles, clients and things to do one by one, and keeps the change if the run still
/// fails without them; until nothing more can be left out.
pub(super) fn shrink(config: &Config, still_fails: impl Fn(&Config) -> bool) -> Config {
    let mut config = config.clone();
    loop {
        let before = config.clone();
        let mut attempt = |change: &dyn Fn(&mut Config)| {
            let mut smaller = config.clone();
            change(&mut smaller);
            if smaller != config && still_fails(&smaller) {
                config = smaller;
            }
        };
        for trouble in Trouble::ALL {
            attempt(&|config| config.without.extend([*trouble]));
        }
        for clients in 1..CLIENTS {
            attempt(&|config| config.clients = config.clients.min(clients));
        }
        for items in 1..ITEMS {
            attempt(&|config| config.operations = config.operations.min(items));
        }
        // The last is the program that ships.
        let hands = || (0..CLIENTS).flat_map(|client| (0..=HANDS).map(move |hand| (client, hand)));
        for (client, hand) in hands() {
            let all = |item| (client, hand, item);
            attempt(&|config| config.skip.extend((0..ITEMS).map(all)));
        }
        for (client, hand) in hands() {
            for item in 0..ITEMS {
                attempt(&|config| config.skip.extend([(client, hand, item)]));
            }
        }
        if config == before {
            return config;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_does_not_need_is_left_out() {
        let needed = [(1, 0, 2), (1, 1, 4)];
        let needs = |config: &Config| {
            let takes_part = |(client, hand, item)| {
                client < config.clients
                    && item < config.operations
                    && !config.skip.contains(&(client, hand, item))
            };
            needed.into_iter().all(takes_part) && !config.without.contains(&Trouble::RequestLost)
        };
        let small = shrink(&Config::default(), needs);
        assert!(needs(&small));
        assert_eq!((small.clients, small.operations), (2, 5));
        for trouble in Trouble::ALL {
            let left_out = small.without.contains(trouble);
            assert_eq!(left_out, *trouble != Trouble::RequestLost, "{trouble}");
        }
        let kept = (0..CLIENTS).flat_map(|client| (0..=HANDS).map(move |hand| (client, hand)));
        let kept = kept.flat_map(|(client, hand)| (0..ITEMS).map(move |item| (client, hand, item)));
        let kept: Vec<_> = kept.filter(|thing| !small.skip.contains(thing)).collect();
        assert_eq!(kept, needed);
    }
}
