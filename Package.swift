// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors in every target of ours.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// A library of the package.
func library(
  _ name: String, path: String, dependencies: [Target.Dependency], exclude: [String] = [],
  resources: [Resource] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, resources: resources, swiftSettings: strict)
}

/// A service: a library that does everything, and an executable named like its folder that only runs it.
func service(
  _ name: String, library libraryName: String, dependencies: [Target.Dependency], embedding embedded: [String] = []
) -> [Target] {
  let folder = "Services/\(name)"
  return [
    library(
      libraryName, path: folder, dependencies: ["Models", "ServiceKit"] + dependencies, exclude: ["Main"],
      resources: embedded.map { .embedInCode($0) }),
    .executableTarget(
      name: name, dependencies: [.byName(name: libraryName), "ServiceKit", argumentParser], path: "\(folder)/Main",
      swiftSettings: strict),
  ]
}

func tests(_ name: String, dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: name, dependencies: ["TestSupport", "Models"] + dependencies, path: "Tests/\(name)", exclude: exclude,
    swiftSettings: strict)
}

let asyncAlgorithms: Target.Dependency = .product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioFoundationCompat: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")

let package = Package(
  name: "swift-iaas",
  products: [
    .executable(name: "auth-service", targets: ["auth-service"]),
    .executable(name: "inventory-service", targets: ["inventory-service"]),
    .executable(name: "compute-agent", targets: ["compute-agent"]),
    .executable(name: "gateway", targets: ["gateway"]),
    .executable(name: "iaas", targets: ["iaas"]),
  ],
  dependencies: [
    // The trait keeps one Foundation flavour in the graph; without it Hummingbird recompiles at random.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries, as Debian packages them.
    .systemLibrary(name: "CLibpq", path: "Shared/CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
      name: "CLibvirt", path: "Shared/CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev"])]),
    .systemLibrary(
      name: "CArgon2", path: "Shared/CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),

    .systemLibrary(
      name: "CQrencode", path: "Shared/CQrencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CLibedit", path: "Shared/CLibedit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .systemLibrary(name: "CZlib", path: "Shared/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLzma", path: "Shared/CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
    .systemLibrary(name: "CZstd", path: "Shared/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

    // Shared, from the bottom up.
    library("Models", path: "Shared/Models", dependencies: []),
    library("Blocking", path: "Shared/Blocking", dependencies: []),
    library("Postgres", path: "Shared/Postgres", dependencies: ["CLibpq", "Blocking", logging, lifecycle]),
    library("Query", path: "Shared/Query", dependencies: ["Models", "Postgres"]),
    library("DiskImages", path: "Shared/DiskImages", dependencies: ["Models", "CZlib", "CLzma", "CZstd"]),
    library("Libvirt", path: "Shared/Libvirt", dependencies: ["CLibvirt", "Blocking"]),
    library(
      "ServiceKit", path: "Shared/ServiceKit",
      dependencies: [
        "Models", "Blocking", hummingbird, hummingbirdTLS, lifecycle, logging, metrics, coreMetrics, configuration,
        crypto, httpTypes, nioCore, nioSSL, subprocess, systemPackage,
      ]),
    library(
      "Persistence", path: "Shared/Persistence",
      dependencies: [
        "Postgres", "Query", "ServiceKit", "Models", hummingbird, httpTypes, nioCore, logging, lifecycle, crypto,
      ]),
    library(
      "Clients", path: "Shared/Clients",
      dependencies: [
        "Models", "ServiceKit", asyncAlgorithms, asyncHTTPClient, httpTypes, lifecycle, logging, nioCore, nioHTTP1,
        nioPosix, nioSSL, nioTLS, crypto,
      ]),
  ]
    + service(
      "auth-service", library: "AuthService",
      dependencies: [
        "Postgres", "Persistence", "Query", "Blocking", "CArgon2", hummingbird, lifecycle, logging, crypto,
        cryptoExtras,
        configuration, httpTypes,
      ], embedding: ["Migrations", "Passwords"])
    + service(
      "inventory-service", library: "InventoryService",
      dependencies: [
        "Postgres", "Persistence", "Query", "DiskImages", "Blocking", "Clients", hummingbird, lifecycle, logging,
        crypto,
        asyncHTTPClient, httpTypes, nioCore, nioFoundationCompat, nioHTTP1, nioPosix,
      ], embedding: ["Migrations", "Catalogue"])
    + service(
      "compute-agent", library: "ComputeAgent",
      dependencies: [
        "Libvirt", "Blocking", "Clients", hummingbird, hummingbirdTLS, lifecycle, logging, crypto, x509, asn1, nioCore,
        nioPosix, nioSSL, asyncHTTPClient,
      ])
    + service(
      "gateway", library: "Gateway",
      dependencies: ["Clients", hummingbird, lifecycle, logging, httpTypes, nioCore, asyncHTTPClient, crypto],
      embedding: ["API/openapi.json", "API/Docs"])
    + [
      library(
        "CommandLineTool", path: "CommandLine",
        dependencies: [
          "Models", "CQrencode", "CLibedit", yams, argumentParser, asyncHTTPClient, crypto, nioCore, nioSSL,
        ],
        exclude: ["Main"]),
      .executableTarget(
        name: "iaas", dependencies: ["CommandLineTool"], path: "CommandLine/Main", swiftSettings: strict),

      library(
        "TestSupport", path: "Tests/TestSupport",
        dependencies: ["Models", "Postgres", "ServiceKit", asyncHTTPClient, logging, nioCore, nioPosix]),
      .executableTarget(
        name: "faults", dependencies: ["TestSupport", "Models", "ServiceKit", asyncHTTPClient, argumentParser],
        path: "Tests/Faults", exclude: ["run"], swiftSettings: strict),
      tests("ModelsTests", dependencies: []),
      tests("PostgresTests", dependencies: ["Postgres"]),
      tests("QueryTests", dependencies: ["Query", "Postgres"]),
      tests("DiskImagesTests", dependencies: ["DiskImages"]),
      tests("LibvirtTests", dependencies: ["Libvirt"]),
      tests("ServiceKitTests", dependencies: ["ServiceKit", hummingbird, hummingbirdTesting, configuration]),
      tests(
        "AuthServiceTests", dependencies: ["AuthService", "Persistence", "Postgres", "ServiceKit", hummingbird, crypto]),
      tests(
        "InventoryServiceTests",
        dependencies: [
          "InventoryService", "DiskImages", "Persistence", "Postgres", "ServiceKit", "Clients", asyncHTTPClient, crypto,
          logging,
          nioCore,
        ]),
      tests(
        "ComputeAgentTests",
        dependencies: ["ComputeAgent", "Clients", "Libvirt", "ServiceKit", asyncHTTPClient, crypto], exclude: ["Golden"]
      ),
      tests(
        "GatewayTests",
        dependencies: ["Gateway", "Clients", "ServiceKit", hummingbird, hummingbirdTesting, httpTypes, crypto]),
      tests("CommandLineTests", dependencies: ["CommandLineTool"]),
      tests("SystemTests", dependencies: ["ServiceKit", asyncHTTPClient]),
    ],
  swiftLanguageModes: [.v6]
)
