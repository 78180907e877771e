import CLibvirt

/// The integers of a list of libvirt's typed parameters, by name.
///
/// Which parameters come, and of which type, is up to the driver and its version: nothing is taken for granted, and what
/// is not a number of at least 0 counts as absent.
/// See https://libvirt.org/html/libvirt-libvirt-common.html#virTypedParameter.
struct TypedParameters {
  let values: [String: UInt64]

  init(values: [String: UInt64]) {
    self.values = values
  }

  init(copying parameters: UnsafeBufferPointer<virTypedParameter>) {
    var values: [String: UInt64] = [:]
    for parameter in parameters {
      values[text(of: parameter.field)] = Self.integer(of: parameter)
    }
    self.init(values: values)
  }

  subscript(name: String) -> UInt64? { values[name] }

  /// The text of the parameter of that name, nil when there is none or it is no text.
  static func string(_ name: String, in parameters: UnsafeBufferPointer<virTypedParameter>) -> String? {
    let found = parameters.first { text(of: $0.field) == name }
    guard let found, UInt32(bitPattern: found.type) == VIR_TYPED_PARAM_STRING.rawValue else { return nil }
    // Safe: the type says that `s` is set, and it is copied before the parameters are freed.
    return found.value.s.map { String(cString: $0) }
  }

  /// The sum over all devices of a parameter named `group.number.name`, nil when no device has it.
  func sum(_ group: String, _ name: String) -> UInt64? {
    let found = values.filter { Self.isDevice($0.key, of: group, name) }.values
    return found.isEmpty ? nil : found.reduce(0, Self.saturatingSum)
  }

  private static func integer(of parameter: virTypedParameter) -> UInt64? {
    // Safe: the type says which member of the union is set; strings, the only pointers, are not touched.
    switch UInt32(bitPattern: parameter.type) {
    case VIR_TYPED_PARAM_INT.rawValue: UInt64(exactly: parameter.value.i)
    case VIR_TYPED_PARAM_UINT.rawValue: UInt64(parameter.value.ui)
    case VIR_TYPED_PARAM_LLONG.rawValue: UInt64(exactly: parameter.value.l)
    case VIR_TYPED_PARAM_ULLONG.rawValue: parameter.value.ul
    default: nil
    }
  }

  private static func isDevice(_ key: String, of group: String, _ name: String) -> Bool {
    let parts = key.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0] == group && UInt32(parts[1]) != nil && parts[2] == name
  }

  private static func saturatingSum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}
