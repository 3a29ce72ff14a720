use resourcecache::MergePolicy;

/// Nobody's tag may be lost: the sets are united.
struct Union;

impl MergePolicy<Zone> for Union {
    fn lay(base: &Zone, edit: &Edit) -> Zone {
        let mut zone = base.apply(edit);
        zone.tags.extend(base.tags.iter().cloned());
        zone
    }
}
