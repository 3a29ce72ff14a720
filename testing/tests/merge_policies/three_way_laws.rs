mod three_way_laws {
    use super::*;
    resourcecache_testing::merge_policy_laws!(ThreeWay, Zone, zones(), edits());
}
