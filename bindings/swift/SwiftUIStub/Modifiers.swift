public protocol ShapeStyle: Sendable {}
public protocol Shape: Sendable {}

public struct Color: ShapeStyle {
    public static let accentColor = Color()
    public static let secondary = Color()
    public static let red = Color()
    public nonisolated func opacity(_ opacity: Double) -> Color { self }
    nonisolated init() {}
}

extension Color: Leaf {}

public struct Capsule: Shape {
    public nonisolated init() {}
}

public struct Font: Sendable {
    public static let caption = Font()
}

public enum ControlSize: Sendable { case mini, small, regular, large }

public struct Edge: Sendable {
    public struct Set: OptionSet, Sendable {
        public let rawValue: Int8
        public init(rawValue: Int8) { self.rawValue = rawValue }
        public static let horizontal = Set(rawValue: 1)
        public static let vertical = Set(rawValue: 2)
        public static let all = Set(rawValue: 3)
    }
}

public struct AccessibilityChildBehavior: Sendable {
    public static let ignore = AccessibilityChildBehavior()
}

/// A view that was changed by one of these.
public struct Modified: Leaf {
    nonisolated init() {}
}

extension View {
    public nonisolated func font(_ font: Font?) -> some View { Modified() }
    public nonisolated func foregroundStyle<S: ShapeStyle>(_ style: S) -> some View { Modified() }
    public nonisolated func padding(_ edges: Edge.Set = .all, _ length: Double? = nil) -> some View { Modified() }
    public nonisolated func background<S: ShapeStyle, T: Shape>(_ style: S, in shape: T) -> some View { Modified() }
    public nonisolated func lineLimit(_ number: Int?) -> some View { Modified() }
    public nonisolated func controlSize(_ size: ControlSize) -> some View { Modified() }
    public nonisolated func accessibilityElement(children: AccessibilityChildBehavior) -> some View { Modified() }
    public nonisolated func accessibilityLabel(_ label: Text) -> some View { Modified() }
    public nonisolated func accessibilityValue(_ value: Text) -> some View { Modified() }
    public nonisolated func navigationTitle<S: StringProtocol>(_ title: S) -> some View { Modified() }
    public nonisolated func disabled(_ disabled: Bool) -> some View { Modified() }
    public func swipeActions<T: View>(@ViewBuilder content: () -> T) -> some View { Modified() }
    public func toolbar<Content: View>(@ViewBuilder content: () -> Content) -> some View { Modified() }
    public nonisolated func refreshable(action: @escaping @Sendable () async -> Void) -> some View { Modified() }
    public nonisolated func task(_ action: @escaping @Sendable () async -> Void) -> some View { Modified() }
    public nonisolated func onChange<V: Equatable>(of value: V, _ action: @escaping (V, V) -> Void) -> some View {
        Modified()
    }
}
