/** The document's examples, letter by letter; what they take for given stands before each. */

import type { Storage } from "unstorage";
import { RESOURCE_CACHE_CONFIG, ResourceCache } from "resourcecache/v1";

export interface Domain {
  id: string;
  name: string;
  status: string;
}

interface Resource {
  id: string;
  name?: string;
}

/** The document's `api`. */
export interface Api {
  registerDomain(data: { name: string }): Promise<{ job: string }>;
  listDomains(): Promise<Domain[]>;
  deleteZone(id: string): Promise<void>;
  updateRecord(id: string, changes: Partial<Resource>): Promise<Resource>;
  update(id: string, changes: Partial<Resource>): Promise<Resource>;
  delete(id: string): Promise<void>;
  list(): Promise<Resource[]>;
}

export interface Toast {
  success(title: string, more: { description: string | undefined }): void;
}

/** Scenario 1: Domain Registration Flow */
export async function scenario1(
  cache: Storage,
  api: Api,
  cacheKey: string,
  domainId: string,
  domainData: { name: string },
) {
  // Step 1: User clicks "Register domain"
  const domainCache = new ResourceCache(cache, RESOURCE_CACHE_CONFIG.domains, cacheKey);

  await domainCache.markAsProcessing(domainId, 'creating');
  await domainCache.updateMetadata(domainId, {
    stage: 'initializing',
    progress: 0,
    message: 'Starting registration...',
  });

  // Step 2: API call (takes 30+ seconds)
  const job = await api.registerDomain(domainData);

  // Step 3: Poll for completion
  await domainCache.updateMetadata(domainId, {
    stage: 'registering',
    progress: 33,
    message: 'Registering with registrar...',
  });

  // Step 4: In loader (polling every 5s)
  const fresh = await api.listDomains();
  const merged = await domainCache.merge(fresh);

  // Step 5: Detect completion
  merged.forEach((domain) => {
    if (domain._meta?.stage === 'registering' && domain.status === 'registered') {
      domainCache.updateMetadata(domain.id, {
        stage: 'complete',
        progress: 100,
        message: 'Registration complete!',
      });

      // Remove _meta after 2 seconds
      setTimeout(() => domainCache.revert(domain.id), 2000);
    }
  });
  return { domainCache, job };
}

/** Scenario 2: DNS Zone Bulk Delete */
export async function scenario2(dnsZoneCache: ResourceCache<{ id: string }>, api: Api, toast: Toast) {
  // User selects 5 zones and clicks "Delete"
  const selectedZones = ['zone-1', 'zone-2', 'zone-3', 'zone-4', 'zone-5'];

  // Mark all as deleting
  await dnsZoneCache.batchMarkAsProcessing(selectedZones, 'deleting');

  // Delete in parallel
  const results = await Promise.allSettled(selectedZones.map((id) => api.deleteZone(id)));

  // Handle results
  const successful = [];
  const failed = [];

  results.forEach((result, index) => {
    if (result.status === 'fulfilled') {
      successful.push(selectedZones[index]);
    } else {
      failed.push(selectedZones[index]);
    }
  });

  // Clean up successful deletions
  await dnsZoneCache.batchRemove(successful);

  // Revert failed deletions
  await Promise.all(failed.map((id) => dnsZoneCache.revert(id)));

  // Show toast
  toast.success(`Deleted ${successful.length} zones`, {
    description: failed.length > 0 ? `Failed to delete ${failed.length} zones` : undefined,
  });
}

/** Scenario 3: Optimistic Update with Retry */
export async function scenario3(
  cache: Storage,
  api: Api,
  cacheKey: string,
  recordId: string,
  changes: Partial<Resource>,
) {
  // Edit DNS record
  const dnsRecordCache = new ResourceCache(cache, RESOURCE_CACHE_CONFIG.dnsRecords, cacheKey);

  await dnsRecordCache.markAsProcessing(recordId, 'updating');

  const maxRetries = 3;
  let retryCount = 0;

  while (retryCount < maxRetries) {
    try {
      const updated = await api.updateRecord(recordId, changes);
      await dnsRecordCache.updateInPlace(recordId, updated);
      await dnsRecordCache.revert(recordId);
      break;
    } catch (error) {
      retryCount++;

      if (retryCount < maxRetries) {
        await dnsRecordCache.updateMetadata(recordId, {
          status: 'retrying',
          retryCount,
          maxRetries,
          message: `Retry ${retryCount}/${maxRetries}...`,
        });

        await new Promise((resolve) => setTimeout(resolve, 1000 * retryCount));
      } else {
        await dnsRecordCache.updateMetadata(recordId, {
          error: error.message,
          message: 'Update failed',
        });

        // Keep _meta to show error, but mark as failed
        setTimeout(() => dnsRecordCache.revert(recordId), 5000);
      }
    }
  }
  return dnsRecordCache;
}

/** 1.1, In UPDATE action */
export async function update(
  cache: Storage,
  api: Api,
  cacheKey: string,
  zoneId: string,
  changes: Partial<Resource>,
) {
  // In UPDATE action
  const dnsZoneCache = new ResourceCache(cache, RESOURCE_CACHE_CONFIG.dnsZones, cacheKey);

  await dnsZoneCache.markAsProcessing(zoneId, 'updating');

  try {
    const updatedZone = await api.update(zoneId, changes);
    await dnsZoneCache.updateInPlace(zoneId, updatedZone);
    await dnsZoneCache.revert(zoneId); // Remove _meta
  } catch (error) {
    await dnsZoneCache.revert(zoneId);
  }
  return dnsZoneCache;
}

/** 1.2, Domain verification flow */
export async function verify(domainCache: ResourceCache<{ id: string }>, domainId: string) {
  // Domain verification flow
  await domainCache.updateMetadata(domainId, {
    status: 'processing',
    stage: 'verifying',
    progress: 33,
    message: 'Verifying DNS records...',
  });

  // Later, when verification completes
  await domainCache.updateMetadata(domainId, {
    stage: 'active',
    progress: 100,
    message: 'Verification complete',
  });
}

/** 2.2, Bulk delete DNS records */
export async function bulkDelete(dnsRecordCache: ResourceCache<{ id: string }>, api: Api) {
  // Bulk delete DNS records
  const recordIds = ['rec-1', 'rec-2', 'rec-3', 'rec-4', 'rec-5'];

  await dnsRecordCache.batchMarkAsProcessing(recordIds, 'deleting');

  try {
    await Promise.all(recordIds.map((id) => api.delete(id)));
    await dnsRecordCache.batchRemove(recordIds);
  } catch (error) {
    // Revert all
    await Promise.all(recordIds.map((id) => dnsRecordCache.revert(id)));
  }
}

/** Correct Pattern (smooth UX with TTL) */
export async function correctPattern(
  cache: ResourceCache<{ id: string }>,
  api: Api,
  id: string,
  redirect: (to: string) => string,
) {
  await cache.markAsDeleting(id);  // Default: 60s TTL
  // Or specify custom TTL:
  // await cache.markAsDeleting(id, 120000);  // 2 minutes

  await api.delete(id);
  // Don't remove - let merge() handle it ✅
  return redirect('/list');
}

/** Implementation: in loader, and in component */
export async function loader(cache: ResourceCache<{ id: string }>, api: Api) {
  const fresh = await api.list();
  const merged = await cache.merge(fresh);  // Respects TTL automatically
  return merged;
}
export function component(data: Awaited<ReturnType<typeof loader>>) {
  const visible = data.filter(item => item._meta?.status !== 'deleting');
  return visible;
}
