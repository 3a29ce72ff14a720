import Foundation
import Testing

import ResourceCache
import ResourceCacheUI

private struct Zone: Codable, Sendable, Identifiable {
    var id: String
    var name: String?
}

/// In English, wherever the tests run.
private let words = BadgeWords(percent: {
    ($0 / 100).formatted(.percent.precision(.fractionLength(0)).locale(Locale(identifier: "en_US")))
})

/// What is shown of the one row `a`, as text.
private func shown(_ cache: ResourceCache<Zone>) throws -> [String] {
    let row = try #require(try cache.row("a"))
    var lines: [String] = []
    if let badge = row.badge {
        let look = BadgeLook(badge, words: words)
        lines.append("badge: \(look.symbol ?? "spinner") | \(look.text) | \(look.tint) | \(look.accessibilityLabel)")
    }
    if let progress = row.progress {
        let look = ProgressLook(progress, words: words)
        lines.append(
            "bar: \(look.symbol ?? "-") | \(look.text) | \(look.fraction) | \(look.tint) | "
                + "\(look.accessibilityLabel) | \(look.accessibilityValue)")
    }
    return lines
}

private func opened(_ settings: Settings = Settings()) throws -> ResourceCache<Zone> {
    let cache = try ResourceCache<Zone>(settings: settings)
    try cache.merge(Data(#"[{"id":"a"}]"#.utf8))
    return cache
}

@Suite struct LookTests {
    @Test("nothing is shown while nothing goes on") func idle() throws {
        #expect(try shown(opened()) == [])
    }

    @Test("each operation has its look") func operations() throws {
        let deleting = try opened()
        try deleting.markAsDeleting("a")
        #expect(try shown(deleting) == ["badge: spinner | Deleting... | destructive | Deleting"])
        let updating = try opened()
        try updating.markAsUpdating("a", ["name": "x"])
        #expect(try shown(updating) == ["badge: spinner | Saving... | secondary | Saving"])
        let creating = try ResourceCache<Zone>()
        try creating.addAsCreating(Zone(id: "a"))
        #expect(try shown(creating) == ["badge: spinner | Creating... | primary | Creating"])
    }

    @Test("progress is shown from 0 on, by both") func progress() throws {
        let cache = try opened()
        try cache.markAsProcessing("a")
        #expect(try shown(cache) == ["badge: spinner | Processing... | primary | Processing"])
        try cache.updateMetadata("a", ["progress": 0])
        #expect(
            try shown(cache) == [
                "badge: spinner | Processing... 0% | primary | Processing, 0%",
                "bar: - | processing | 0.0 | secondary | processing | 0%",
            ])
        try cache.updateMetadata("a", ["progress": 42.5])
        try cache.updateMetadata("a", ["message": "Signing..."])
        #expect(
            try shown(cache) == [
                "badge: spinner | Signing... 42% | primary | Signing, 42%",
                "bar: - | Signing... | 0.425 | secondary | Signing | 42%",
            ])
    }

    @Test("an attempt that failed is counted, and a failure has its error") func failures() throws {
        var settings = Settings()
        settings.retry = RetryPolicy(backoff: .linear(step: .seconds(60)), maxAttempts: 3)
        let again = try opened(settings)
        try again.queue(.delete("a"))
        try again.fail(try #require(try again.pollAttempt()).operation, "busy", retry: .byStatus(503))
        let retrying = "badge: spinner | Retry 1/3... | secondary | Retry 1/3, 1 of 3 attempts failed"
        let shownAgain = try #require(try shown(again).first)
        #expect(shownAgain == retrying)
        try again.setLabels(Labels(retrying: "Noch einmal"))
        try again.updateMetadata("a", ["message": String?.none])
        #expect(try shown(again).first?.contains("Noch einmal (1/3)") == true)
        let once = try opened(settings)
        try once.queue(.delete("a"))
        try once.fail(try #require(try once.pollAttempt()).operation, "no key.")
        let failed = try #require(try shown(once).first)
        #expect(failed == "badge: xmark.circle.fill | no key. | destructive | no key")
    }

    @Test("a stalled operation says so") func stalled() throws {
        var settings = Settings()
        settings.progress[.process] = ProgressPlan(
            stages: [Stage("one", message: "Waiting"), Stage("end", weight: 0, end: .complete)],
            stalledAfter: .milliseconds(1))
        let cache = try opened(settings)
        try cache.markAsProcessing("a")
        Thread.sleep(forTimeInterval: 0.005)
        try cache.handleTimeout()
        #expect(
            try shown(cache).last
                == "bar: exclamationmark.triangle.fill | Waiting | 0.0 | destructive | Waiting, stalled | 0%")
    }

    @Test("the words may be another language's") func words() throws {
        let cache = try opened()
        try cache.setLabels(Labels(deleting: "Wird gelöscht …"))
        try cache.markAsDeleting("a")
        let badge = try #require(try cache.row("a")?.badge)
        #expect(BadgeLook(badge).accessibilityLabel == "Wird gelöscht")
    }
}
