import ResourceCache

/// A colour by what it means; the view takes the platform's.
package enum Tint: String, Sendable { case primary, secondary, destructive }

/// How a status badge looks, and what is said of it.
package struct BadgeLook: Sendable, Equatable {
    /// What is written.
    package let text: String
    /// The colour of text and symbol.
    package let tint: Tint
    /// An SF Symbol; `nil` for one that spins.
    package let symbol: String?
    /// What assistive technology says.
    package let accessibilityLabel: String

    package init(_ badge: StatusBadge, words: BadgeWords = BadgeWords()) {
        tint =
            switch badge.variant {
            case .default: .primary
            case .secondary: .secondary
            case .destructive: .destructive
            }
        symbol =
            switch badge.icon {
            case .spinner: nil
            case .check: "checkmark.circle.fill"
            case .cross: "xmark.circle.fill"
            }
        var written = [badge.label]
        var said = [badge.label.withoutDots]
        if let progress = badge.progress {
            written.append(words.percent(progress))
            said.append(words.percent(progress))
        }
        if let retry = badge.retry, retry.count == 2 {
            let count = "\(retry[0])/\(retry[1])"
            // The cache's own message has it.
            if !badge.label.contains(count) { written.append("(\(count))") }
            said.append(words.failedAttempts(retry[0], retry[1]))
        }
        text = written.joined(separator: " ")
        accessibilityLabel = said.joined(separator: ", ")
    }
}

/// How a progress bar looks, and what is said of it.
package struct ProgressLook: Sendable, Equatable {
    /// What is written above the bar.
    package let text: String
    /// How full the bar is, 0 to 1.
    package let fraction: Double
    /// Secondary while it goes on, destructive when nothing was heard of it for too long.
    package let tint: Tint
    /// An SF Symbol beside the text; `nil` for none.
    package let symbol: String?
    /// What assistive technology says that it is.
    package let accessibilityLabel: String
    /// What assistive technology says how far it is.
    package let accessibilityValue: String

    package init(_ progress: ProgressStatus, words: BadgeWords = BadgeWords()) {
        text = progress.label
        fraction = min(max(progress.percent / 100, 0), 1)
        tint = progress.stalled ? .destructive : .secondary
        symbol = progress.stalled ? "exclamationmark.triangle.fill" : nil
        let label = progress.label.withoutDots
        accessibilityLabel = progress.stalled ? "\(label), \(words.stalled)" : label
        accessibilityValue = words.percent(progress.percent)
    }
}

extension String {
    /// Without dots at its end, which would be read out.
    fileprivate var withoutDots: String {
        var rest = self[...]
        while let last = rest.last, ".… ".contains(last) { rest.removeLast() }
        return rest.isEmpty ? self : String(rest)
    }
}
