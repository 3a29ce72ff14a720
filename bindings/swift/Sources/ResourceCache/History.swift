import Foundation
import ResourceCacheFFI

/// An operation to begin.
public enum Begin<Value: Codable & Sendable & Identifiable>: Sendable
where Value.ID: LosslessStringConvertible & Sendable {
    /// Shows a new resource before the server has it, under a temporary or its final id.
    case create(Value)
    /// Shows a resource with a JSON merge patch (RFC 7396) laid over it until the server has it: the fields that the
    /// value has.
    case update(Value.ID, any Encodable & Sendable)
    /// Hides a resource that is about to be deleted.
    case delete(Value.ID)
    /// Marks a resource as undergoing an operation. It can be queued, and not undone.
    case process(Value.ID, Kind = .process)
}

/// An operation to begin, and how.
public struct Step<Value: Codable & Sendable & Identifiable>: Sendable
where Value.ID: LosslessStringConvertible & Sendable {
    /// What.
    public var begin: Begin<Value>
    /// How long it guards at least; the settings' otherwise.
    public var minTTL: Duration?
    /// Leaves its sending to the outbox, this much later at the earliest; `nil` for a caller that sends it by itself.
    public var sendAfter: Duration?

    public init(_ begin: Begin<Value>, minTTL: Duration? = nil, sendAfter: Duration? = nil) {
        self.begin = begin
        self.minTTL = minTTL
        self.sendAfter = sendAfter
    }
}

extension ResourceCache {
    /// Does what the user did, one thing or several, whole or not at all, and keeps it as a step that ``undo()`` undoes.
    ///
    /// - Parameters:
    ///   - label: Names it for the user, such as `Delete 5 zones`.
    ///   - steps: What to begin.
    @discardableResult
    public func perform(_ label: String, _ steps: [Step<Value>]) throws(ResourceCacheError) -> Changes {
        var written: [ResourceCacheFFI.Step] = []
        for step in steps { written.append(try write(step)) }
        return try change { try $0.perform(label: label, steps: written) }
    }

    /// Undoes the last step: what was not sent is taken back, and costs nothing; what was sent gets its inverse, queued
    /// if the step was, else among the answer's operations for the caller to send (``request(of:)``). What is not any
    /// more what the step made of it is left alone, and told among the conflicts. Without a step it does nothing.
    @discardableResult
    public func undo() throws(ResourceCacheError) -> Changes { try change { try $0.undo() } }

    /// Redoes the step that was undone last, in the same way.
    @discardableResult
    public func redo() throws(ResourceCacheError) -> Changes { try change { try $0.redo() } }

    /// Forgets all steps.
    @discardableResult
    public func clearHistory() throws(ResourceCacheError) -> Changes { try change { try $0.clearHistory() } }

    /// The label of the step that ``undo()`` would undo.
    public func undoLabel() throws(ResourceCacheError) -> String? { try ask { try $0.undoLabel() } }

    /// The label of the step that ``redo()`` would redo.
    public func redoLabel() throws(ResourceCacheError) -> String? { try ask { try $0.redoLabel() } }

    /// The labels of the steps that can be undone, the next first.
    public func undoLabels() throws(ResourceCacheError) -> [String] { try ask { try $0.undoLabels() } }

    /// The labels of the steps that can be redone, the next first.
    public func redoLabels() throws(ResourceCacheError) -> [String] { try ask { try $0.redoLabels() } }

    func write(_ step: Step<Value>) throws(ResourceCacheError) -> ResourceCacheFFI.Step {
        func text(_ value: some Encodable) throws(ResourceCacheError) -> String {
            String(decoding: try encode(value), as: UTF8.self)
        }
        let begin: ResourceCacheFFI.Begin =
            switch step.begin {
            case .create(let value): .create(resource: try text(value))
            case .update(let id, let patch): .update(id: id.description, patch: try text(patch))
            case .delete(let id): .delete(id: id.description)
            case .process(let id, let kind): .process(id: id.description, kind: kind.core)
            }
        return ResourceCacheFFI.Step(
            begin: begin, minTtlMs: try step.minTTL.ms("minTTL"), sendAfterMs: try step.sendAfter.ms("sendAfter"))
    }
}
