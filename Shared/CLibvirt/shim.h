#pragma once
#include <stddef.h>
#include <libvirt/libvirt.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

/// virConnectDomainEventRegisterAny for life cycle events. VIR_DOMAIN_EVENT_CALLBACK is a function-like macro that
/// casts the callback's type away, which Swift does not import.
static inline int clibvirt_register_lifecycle(virConnectPtr connection, virConnectDomainEventCallback callback,
                                              void *opaque, virFreeCallback release) {
  return virConnectDomainEventRegisterAny(connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                          VIR_DOMAIN_EVENT_CALLBACK(callback), opaque, release);
}
