#if canImport(SwiftUI)
    import ResourceCache
    import SwiftUI

    /// What goes on with a row, as a badge: a spinner, a check or a cross, and words. Nothing while nothing goes on.
    ///
    /// ```swift
    /// List(zones.rows) { row in
    ///     HStack {
    ///         Text(row.value.name)
    ///         Spacer()
    ///         ResourceStatusBadge(row.badge)
    ///     }
    /// }
    /// ```
    public struct ResourceStatusBadge: View {
        private let look: BadgeLook?

        /// The badge of a row.
        public init(_ badge: StatusBadge?, words: BadgeWords = BadgeWords()) {
            look = badge.map { BadgeLook($0, words: words) }
        }

        public var body: some View {
            if let look {
                HStack(spacing: 4) {
                    if let symbol = look.symbol {
                        Image(systemName: symbol)
                    } else {
                        ProgressView().controlSize(.mini)
                    }
                    Text(verbatim: look.text).lineLimit(1)
                }
                .font(.caption)
                .foregroundStyle(look.tint.color)
                .padding(.horizontal, 8)
                .padding(.vertical, 2)
                .background(look.tint.color.opacity(0.12), in: Capsule())
                .accessibilityElement(children: .ignore)
                .accessibilityLabel(Text(verbatim: look.accessibilityLabel))
            }
        }
    }

    extension Tint {
        var color: Color {
            switch self {
            case .primary: .accentColor
            case .secondary: .secondary
            case .destructive: .red
            }
        }
    }
#endif
