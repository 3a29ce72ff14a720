#if canImport(SwiftUI)
    import ResourceCache
    import SwiftUI

    /// How far an operation is, as a bar with words. Nothing while no progress was reported.
    public struct ResourceProgress: View {
        private let look: ProgressLook?

        /// The progress of a row.
        public init(_ progress: ProgressStatus?, words: BadgeWords = BadgeWords()) {
            look = progress.map { ProgressLook($0, words: words) }
        }

        public var body: some View {
            if let look {
                VStack(alignment: .leading, spacing: 4) {
                    HStack(spacing: 4) {
                        if let symbol = look.symbol { Image(systemName: symbol) }
                        Text(verbatim: look.text)
                    }
                    .font(.caption)
                    .foregroundStyle(look.tint.color)
                    ProgressView(value: look.fraction)
                }
                .accessibilityElement(children: .ignore)
                .accessibilityLabel(Text(verbatim: look.accessibilityLabel))
                .accessibilityValue(Text(verbatim: look.accessibilityValue))
            }
        }
    }
#endif
