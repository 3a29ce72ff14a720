mod laws {
    use super::*;
    resourcecache_testing::resource_laws!(Note, notes(), edits());
}
