mod union_laws {
    use super::*;
    resourcecache_testing::merge_policy_laws!(Union, Zone, zones(), edits());
}
