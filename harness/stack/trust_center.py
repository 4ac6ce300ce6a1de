"""The trust centre of an ESI: joining windows, permit-join, who gets which key. Knows no cluster.

Smart Energy 1.0 (075356), 5.4.1 and 5.5; 05-3474, 4.6.3. It tells the bench what became of every ordered device.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dissectors import aps, nwk, zdp
from dissectors.security import KEY_LENGTH
from harness.stack import happenings
from harness.stack.application import Application
from harness.stack.happenings import FailureReason, Happening
from harness.stack.lower_layers import LowerLayers
from harness.stack.primitives import CommandIndication, CommandRequest, JoinIndication, LeaveIndication, LinkKeyKind
from harness.stack.window import Registration, Step, Window, WindowTable
from harness.values import Eui64

LONGEST_PERMIT = 254  # seconds in one Mgmt_Permit_Joining_req; 255 would be without end (SE 5.4.1)
PERMIT_OVERLAP = 14.0  # seconds before its end at which it is sent again while a window lasts (SE 5.4.1.2: every 240 s)
REGISTRATION_GRACE = 60.0  # seconds that a device which joined inside its window has for establishing a key after it
NOBODY = Eui64(0)

Report = Callable[[Happening], None]


class TrustCenter:
    """Holds the windows and the keys of one network, and answers joins with the network key or with nothing."""

    def __init__(self, application: Application, report: Report, busy_with: Callable[[], Eui64 | None], longest_permit: int) -> None:
        """`busy_with` says with whom key establishment is going on, so that no outcome is told in the middle of it.

        `longest_permit` is how many seconds one Mgmt_Permit_Joining_req permits, more than `PERMIT_OVERLAP`.
        """
        self.windows = WindowTable(application.policy)
        self._application = application
        self._policy = application.policy
        self._agenda = application.agenda
        self._report = report
        self._busy_with = busy_with
        self._longest_permit = longest_permit
        self._acknowledged: dict[Eui64, float] = {}  # when a device acknowledged the last message of step 8
        self._keyed: set[Eui64] = set()  # devices that were sent the network key once
        self._behind: dict[Eui64, int] = {}  # devices that joined through a router, and its short address

    @property
    def _core(self) -> LowerLayers:
        return self._application.core  # another one after a power failure

    # -- the back office's verbs

    def open_window(self, device: Eui64, link_key: bytes, end: float, now: float) -> None:
        """Let `device` join with `link_key` (16 octets) until `end`; a window it has already is replaced."""
        key = link_key[::-1] if self._policy.loads_key_reversed else link_key
        window = Window(device, key, end)
        self.windows.add(window)
        self._report(happenings.WindowOpened(device, end, now))
        self._report(happenings.KeyLearnt("ic", key, device))
        self._watch(window, now)
        self._permit(now)

    def close_window(self, device: Eui64, now: float) -> None:
        """Withdraw a window; a device that has not registered by now is not provisioned."""
        window = self.windows.get(device)
        if window is None or not window.open or not self._policy.honours_cancel:
            return
        self._close(window, now, cancelled=True)
        if window.provisioned:
            self.windows.remove(device)
        else:
            self._fail(window, FailureReason.CANCELLED, now)

    def restart(self, now: float) -> None:
        """Power is back: windows are kept, what is over is closed, the rest is permitted again."""
        if not self._policy.keeps_windows_over_restart:
            self.windows.clear()
        for window in self.windows:
            self._watch(window, now)
        self._permit(now)

    def _watch(self, window: Window, now: float) -> None:
        self._agenda.set(("window", window.device), max(window.end, now), lambda now: self._expire(window.device, now))

    # -- permit joining

    def _permit(self, now: float) -> None:
        """Bring beacons and routers in line with the windows (05-3474 3.2.2.5, 2.4.3.3.7)."""
        end = self.windows.end()
        left = 0.0 if end is None else end - now
        expected = {window.device: window.link_key for window in self.windows if window.open}
        self._core.permit_association(left > 0 and self._policy.opens_association, expected)
        duration = math.ceil(min(left, self._longest_permit)) if left > 0 else 0
        request = zdp.MgmtPermitJoiningReq.of(duration=duration, tc_significance=1)
        self._application.send_zdp(nwk.BroadcastAddress.ROUTERS, request, now)
        self._agenda.cancel("permit")
        interval = self._longest_permit - PERMIT_OVERLAP
        if left > interval:
            self._agenda.set("permit", now + interval, self._permit_again)

    def _permit_again(self, now: float) -> None:
        if self._policy.extends_permit:
            self._permit(now)
        else:  # a defective trust centre lets the window lapse with its first broadcast
            self._agenda.set("permit", now + PERMIT_OVERLAP, lambda now: self._core.permit_association(False))

    # -- the end of a window

    def _expire(self, device: Eui64, now: float) -> None:
        window = self.windows.get(device)
        if window is None or not self._policy.honours_window_end:
            return
        end = self.windows.end_of(window)
        if now < end:
            self._agenda.set(("window", device), end, lambda now: self._expire(device, now))
            return
        if window.open:
            self._close(window, now)
        failure = window.failure
        if failure is None:
            self.windows.remove(device)
        elif window.registration is Registration.ORDERED:
            self._fail(window, failure, now)
        else:
            self._agenda.set(("window", device), now + REGISTRATION_GRACE, lambda now: self._judge(device, now))

    def _judge(self, device: Eui64, now: float) -> None:
        """The grace after a window is over: what has not registered by now is not provisioned."""
        window = self.windows.get(device)
        if window is None:
            return
        if self._busy_with() == device:
            self._agenda.set(("window", device), now + 1.0, lambda now: self._judge(device, now))
            return
        failure = window.failure
        if failure is not None:
            self._fail(window, failure, now)
        self.windows.remove(device)

    def _close(self, window: Window, now: float, cancelled: bool = False) -> None:
        window.open = False
        self._agenda.cancel(("window", window.device))
        self._report(happenings.WindowClosed(window.device, now, cancelled))
        self._permit(now)

    def _fail(self, window: Window, reason: FailureReason, now: float) -> None:
        self.windows.remove(window.device)
        held = self._core.link_key(window.device)
        if held is not None and held[1] is LinkKeyKind.PRECONFIGURED:
            self._core.forget_link_key(window.device)
        self._report(happenings.ProvisioningFailed(window.device, reason, now))

    # -- joins

    def commanded(self, indication: CommandIndication, now: float) -> None:
        """A router says that a device joined through it, rejoined or left; what else is asked of us is refused in silence."""
        command = indication.command
        if not command.is_a(aps.UpdateDevice) or not self._policy.listens_to_routers:
            return
        device, status = Eui64(command.device), command.status
        if status == aps.DeviceStatus.LEFT:
            self.left(LeaveIndication(device, command.short_address, rejoin=False), now)
            return
        self._core.dismiss(device, now, announce=False)  # whose child it was before
        self._core.remember_address(command.short_address, device, behind=indication.source)
        self._behind[device] = indication.source
        rejoin = status != aps.DeviceStatus.UNSECURED_JOIN
        secured = status == aps.DeviceStatus.SECURED_REJOIN
        self._came(JoinIndication(device, command.short_address, 0, rejoin, secured), now)

    def joined(self, indication: JoinIndication, now: float) -> None:
        """A device associated with us or rejoined (05-3474, 4.6.3.2.2.1)."""
        self._behind.pop(indication.device, None)
        self._came(indication, now)

    def _came(self, indication: JoinIndication, now: float) -> None:
        if indication.rejoin:
            self._rejoined(indication, now)
            return
        device, window = indication.device, self.windows.get(indication.device)
        if window is not None and self.windows.admits(device, now):
            registered = self._core.link_key(device) is not None and device in self._keyed
            if registered and not self._policy.readmits_registered:
                return  # a stale link key stands in the way
            self._core.install_link_key(
                device, self._policy.transports_under or window.link_key, LinkKeyKind.PRECONFIGURED
            )
            window.step(Step.ASSOCIATED)
            self._admit(indication, now)
        elif self._policy.admits_strangers:  # under whatever key comes to hand: nobody told us one
            key = next((other.link_key for other in self.windows), bytes(16))
            self._core.install_link_key(device, key, LinkKeyKind.PRECONFIGURED)
            self._admit(indication, now)
        else:
            self._report(happenings.DeviceRefused(device, indication.short_address, now))
            self._dismiss(device, now)

    def _dismiss(self, device: Eui64, now: float) -> None:
        """It has no key to read a Leave with; its parent forgets it, be that ourselves or a router (4.4.9.4)."""
        parent = self._behind.pop(device, None)
        router = None if parent is None else self._core.ieee_of(parent)
        if parent is None or router is None:
            self._core.dismiss(device, now, announce=False)
        else:
            remove = aps.RemoveDevice.of(target=device)
            self._core.command(CommandRequest(parent, router, remove, nwk.KeyIdentifier.DATA), now)

    def _rejoined(self, indication: JoinIndication, now: float) -> None:
        if not indication.secured:
            if self._core.link_key(indication.device) is None:
                self._report(happenings.DeviceRefused(indication.device, indication.short_address, now))
                return
            self._transport_network_key(indication.device, indication.short_address, now)
        elif self._policy.sends_dummy_key:
            dummy = aps.TransportKey.of(
                key_type=aps.KeyType.STANDARD_NETWORK_KEY, key=bytes(KEY_LENGTH), key_sequence=0, dest=indication.device,
                source=self._core.ieee,
            )
            self._core.command(CommandRequest(indication.short_address, indication.device, dummy, None), now)
        self._report(happenings.DeviceJoined(indication.device, indication.short_address, now, rejoin=True))

    def _admit(self, indication: JoinIndication, now: float) -> None:
        device = indication.device
        if device in self._keyed and not self._policy.sends_key_again:
            return
        clear = self._policy.falls_back_to_clear_key and device in self._keyed
        self._keyed.add(device)
        self._transport_network_key(device, indication.short_address, now, clear)
        self._report(happenings.DeviceJoined(device, indication.short_address, now))

    def _transport_network_key(self, device: Eui64, short_address: int, now: float, clear: bool = False) -> None:
        """To a device that cannot read NWK security yet: under the key-transport key of its link key (4.4.9.2, 4.4.1.1)."""
        active = self._core.network_key
        assert active is not None
        command = aps.TransportKey.of(
            key_type=aps.KeyType.STANDARD_NETWORK_KEY, key=active[0], key_sequence=active[1],
            dest=device, source=self._core.ieee,
        )
        sealed = self._core.link_key(device) is not None and not clear
        identifier = self._policy.transport_key_identifier if sealed else None
        request = CommandRequest(short_address, device, command, identifier, nwk_secured=False)
        parent = self._behind.get(device) if self._policy.tunnels_keys else None
        if parent is None:
            self._core.command(request, now)
        else:
            self._core.tunnel(request, parent, now)

    def announced(self, device: Eui64, short_address: int, now: float) -> None:
        """Device_annce: the device has the network key. What names a child of ours by another's EUI-64 is not believed."""
        child = next((each for each in self._core.children if each.short_address == short_address), None)
        if child is not None and child.ieee != device:
            return
        self._core.remember_address(short_address, device)
        if (window := self.windows.get(device)) is not None:
            window.step(Step.ANNOUNCED)
        self._report(happenings.DeviceAnnounced(device, short_address, now))

    def left(self, indication: LeaveIndication, now: float) -> None:
        """A neighbour said that it leaves."""
        if indication.device is None or indication.rejoin:
            return
        if (window := self.windows.get(indication.device)) is not None:
            window.step(Step.LEFT)
        self._report(happenings.DeviceLeft(indication.device, now))

    # -- key establishment (the responder's registrar)

    def may_establish(self, device: Eui64) -> bool:
        """A device with a window, a member, and nobody else."""
        return self.windows.get(device) is not None or self._core.link_key(device) is not None

    def established(self, device: Eui64, key: bytes, now: float) -> None:
        """The key replaces the one made from the install code (SE 5.4.7)."""
        if self._policy.installs_established_key:
            self._core.install_link_key(device, key, LinkKeyKind.ESTABLISHED)
        self._report(happenings.KeyLearnt("link", key, device))
        if (window := self.windows.get(device)) is not None:
            window.step(Step.ESTABLISHED)

    def acknowledged(self, device: Eui64, now: float) -> None:
        """Step 8 is complete if the device does not refuse the key now."""
        self._acknowledged[device] = now

    def registered(self, device: Eui64, now: float) -> None:
        """Step 8 is complete, since its last message was acknowledged."""
        window = self.windows.get(device)
        if window is None or window.registration is not Registration.ESTABLISHING:
            return  # an old member renewed its key, which nobody ordered; or it has used the key already, or joins anew
        window.step(Step.ACKNOWLEDGED)
        short_address = self._core.short_of(device)
        assert short_address is not None
        self._report(happenings.DeviceProvisioned(device, short_address, self._acknowledged.pop(device, now)))

    def used(self, device: Eui64 | None, now: float) -> None:
        """A frame under the established key: whoever sends that has it, acknowledged or not."""
        window = self.windows.get(device)
        if window is not None and window.registration is Registration.ESTABLISHING:
            self.registered(window.device, now)

    def withdrawn(self, device: Eui64, now: float) -> None:
        """The device refused the key: what it had before counts again."""
        self._acknowledged.pop(device, None)
        window = self.windows.get(device)
        if window is None:
            self._core.forget_link_key(device)
            return
        self._core.install_link_key(device, window.link_key, LinkKeyKind.PRECONFIGURED)
        window.step(Step.WITHDRAWN)

    def failed(self, device: Eui64 | None, cause: str, now: float) -> None:
        """One exchange ended without a key; the device may try again."""
        self._report(happenings.KeyEstablishmentFailed(device, cause, now))

    # -- renewing the network key

    def transport_new_network_key(self, key: bytes, sequence: int, now: float) -> None:
        """Give every device a further network key: broadcast, and unicast to children that sleep (4.6.3.4.1)."""
        self._core.install_network_key(key, sequence, now)
        self._report(happenings.KeyLearnt("nwk", key))
        command = aps.TransportKey.of(
            key_type=aps.KeyType.STANDARD_NETWORK_KEY, key=key, key_sequence=sequence, dest=NOBODY, source=self._core.ieee,
        )
        self._core.command(CommandRequest(nwk.BroadcastAddress.RX_ON_WHEN_IDLE, NOBODY, command, None), now)
        for child in self._core.children:
            if child.sleepy:
                unicast = command.replace(dest=child.ieee)
                self._core.command(CommandRequest(child.short_address, child.ieee, unicast, None), now)

    def switch_network_key(self, sequence: int, now: float) -> None:
        """Tell every device to use it (4.6.3.4.1), and do so ourselves."""
        command = aps.SwitchKey.of(key_sequence=sequence)
        self._core.command(CommandRequest(nwk.BroadcastAddress.RX_ON_WHEN_IDLE, NOBODY, command, None), now)
        for child in self._core.children:
            if child.sleepy:
                self._core.command(CommandRequest(child.short_address, child.ieee, command, None), now)
        self._core.switch_key(sequence)
