import Foundation

/// The words that badges and progress bars add to those of the cache's labels: give your own for other languages.
public struct BadgeWords: Sendable {
    /// A percentage, from 0 to 100. By default as the user's locale writes it.
    public var percent: @Sendable (Double) -> String
    /// How many attempts failed, of how many.
    public var failedAttempts: @Sendable (_ failed: Int, _ of: Int) -> String
    /// Nothing was heard of an operation for too long.
    public var stalled: String

    public init(
        percent: @escaping @Sendable (Double) -> String = {
            ($0 / 100).formatted(.percent.precision(.fractionLength(0)))
        },
        failedAttempts: @escaping @Sendable (Int, Int) -> String = { "\($0) of \($1) attempts failed" },
        stalled: String = "stalled"
    ) {
        self.percent = percent
        self.failedAttempts = failedAttempts
        self.stalled = stalled
    }
}
