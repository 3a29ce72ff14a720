import Foundation

/// A value behind a lock.
///
/// `@unchecked`: the value is reached only while the lock is held.
package final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func with<R>(_ act: (inout Value) throws -> R) rethrows -> R {
        try lock.withLock { try act(&value) }
    }
}
