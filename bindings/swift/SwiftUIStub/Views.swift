public struct Text: Leaf {
    public nonisolated init(verbatim: String) {}
    public nonisolated init<S: StringProtocol>(_ content: S) {}
}

public struct Image: Leaf {
    public nonisolated init(systemName: String) {}
}

public struct Spacer: Leaf {
    public nonisolated init() {}
}

public struct ProgressView: Leaf {
    public nonisolated init() {}
    public nonisolated init<V: BinaryFloatingPoint>(value: V?, total: V = 1.0) {}
}

public enum VerticalAlignment: Sendable { case top, center, bottom }
public enum HorizontalAlignment: Sendable { case leading, center, trailing }

public struct HStack<Content: View>: Leaf {
    public init(
        alignment: VerticalAlignment = .center, spacing: Double? = nil, @ViewBuilder content: () -> Content
    ) {}
}

public struct VStack<Content: View>: Leaf {
    public init(
        alignment: HorizontalAlignment = .center, spacing: Double? = nil, @ViewBuilder content: () -> Content
    ) {}
}

public struct ButtonRole: Equatable, Sendable {
    public static let destructive = ButtonRole()
}

public struct Button<Label: View>: Leaf {
    public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Label) {}
}

extension Button where Label == Text {
    public init<S: StringProtocol>(_ title: S, action: @escaping @MainActor () -> Void) {}
    public init<S: StringProtocol>(_ title: S, role: ButtonRole?, action: @escaping @MainActor () -> Void) {}
}

public struct List<Content: View>: Leaf {
    public init<Data: RandomAccessCollection>(
        _ data: Data, @ViewBuilder rowContent: @escaping (Data.Element) -> Content
    ) where Data.Element: Identifiable {}
}

public struct NavigationStack<Root: View>: Leaf {
    public init(@ViewBuilder root: () -> Root) {}
}
