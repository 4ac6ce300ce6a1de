"""The decisions a virtual node takes, as one frozen value; a defect is a policy that differs from the right one.

A decision is either a named field below (asked by the state machine at one place) or a rewrite of one outgoing structure before
it is sealed, so that MICs and counters stay right. Nothing here knows which clause a defect breaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dissectors.layer import Record

Rewrite = Callable[[Record], Record | None]
"""Sees every outgoing structure of a node, inner ones first; returns it, another of its layer, or None to send nothing."""


@dataclass(frozen=True)
class Policy:
    """What a conformant node does; each field's default is the right decision."""

    rewrites: tuple[Rewrite, ...] = ()

    # --- MAC, NWK and APS

    # MAC (IEEE 802.15.4-2006)
    answers_beacon_requests: bool = True  # 7.5.2.4
    closed_association_status: int | None = None  # answers a request while permit is off; None: silence (7.5.3.1)
    honours_child_capacity: bool = True  # answers a full house with status 01 (7.3.2.3); else takes any number of children
    prefers_address: int | None = None  # gives a newcomer this short address if it is free; None: one by chance (05-3474 3.6.1.7)
    assigns_unique_addresses: bool = True  # 05-3474 3.6.1.7; else a further child gets the first one's short address
    indirect_persistence: float = 7.68  # seconds a frame waits for a poll (05-3474 3.5.2, nwkTransactionPersistenceTime)
    waits_for_association_response: bool = True  # polls for it after macResponseWaitTime (7.5.3.1); else never

    # NWK (05-3474)
    discards_other_versions: bool = True  # protocol version 2 only (1.4.1.1)
    checks_nwk_mic: bool = True  # 4.3.1.2
    checks_nwk_counter: bool = True  # a neighbour's counter is greater than its last one (4.3.1.2)
    largest_nwk_jump: int | None = None  # refuses a counter further ahead than this; None: any greater value is taken (4.3.1.2)
    follows_newer_key: bool = True  # a frame under a newer held key switches to it (4.3.1.2 step 7)
    takes_unsecured_commands: bool = False  # 3.6.2.2
    takes_unsecured_data: bool = True  # addressed to itself; dropping it is a later rule (3.6.2.2)
    greets_ahead_by: int = 0  # frame counters left out before a sign of life is asked for: of one whose others may not be taken
    coordinator_obeys_leave: bool = False  # a NWK Leave from anybody (3.6.1.10.3)
    obeys_strangers_leave: bool = False  # a NWK Leave from another than the parent (3.6.1.10.3)
    answers_rejoin: bool = True  # 3.6.1.4.2.2
    relays_broadcasts: bool = True  # an end device's broadcast is sent on by its parent (3.6.5)
    broadcasts_through_parent: bool = True  # an end device's broadcast is a MAC unicast to its parent (3.6.5)
    sends_link_status: bool = True  # every 15 s (3.6.3.4)
    replays_after: float | None = None  # sends each secured unicast frame once more, octet for octet, so many seconds later
    restarts_nwk_counter: bool = True  # counters start at 0 with every accepted network key (4.6.3.4.2)
    keeps_counters_over_power_cycle: bool = True  # 4.3.3, 08006r03 7.9
    keeps_keys_over_power_cycle: bool = True  # network and established link keys (3.6.8, 2.2.8.1)

    # APS (05-3474)
    asks_for_acknowledgements: bool = True  # of what is no key establishment; the sender's choice (2.2.4.1.1)
    acknowledges: bool = True  # 2.2.8.4.3.2
    acknowledges_duplicates: bool = True  # 2.2.8.4.3.2
    rejects_duplicates: bool = True  # delivers once (2.2.8.4.2)
    replays_link_after: float | None = None  # sends each APS-secured frame once more in a new NWK frame, so many seconds later
    secures_acknowledgements: bool = True  # with the link key of the frame; no clause demands it
    aps_retries: int = 3  # apscMaxFrameRetries (2.2.7.1)
    aps_ack_wait: float = 1.6  # seconds, apscAckWaitDuration (2.2.7.1)
    checks_aps_mic: bool = True  # 4.4.1.2
    checks_aps_counter: bool = True  # greater than the partner's last one (4.4.1.2 step 4)
    largest_aps_jump: int | None = None  # refuses a counter further ahead than this; None: any greater value is taken (4.4.1.2)
    secures_every_block: bool = True  # each fragment is APS-secured by itself (2.2.8.4.5)
    checks_every_block: bool = True  # takes no fragment that is secured otherwise than the first (2.2.8.4.5)
    blocks_in_order: bool = True  # the first fragment first; else the last one (2.2.8.4.5.1)
    waits_for_each_block: bool = True  # sends a fragment when the one before was acknowledged (SE 1.0 table 5-8: a window of 1)
    reassembles: bool = True  # takes fragments (2.2.8.4.5.2); else neither acknowledges nor delivers them
    checks_reassembly_limit: bool = True  # refuses more than its maximum incoming transfer size (2.3.2.3.9)

    # --- above APS: trust centre, device object, key establishment, ZCL, Smart Energy clusters

    # trust centre and joining windows (SE 1.0 5.4.1; 05-3474 4.6.3.2)
    opens_association: bool = True  # a window shows in the beacons' association permit (05-3474 3.2.2.5)
    extends_permit: bool = True  # permit-join is broadcast again while a window lasts longer than one broadcast (SE 5.4.1)
    honours_window_end: bool = True  # closed at its end (SE 5.4.1)
    honours_cancel: bool = True  # closed when the back office withdraws it (SE 5.4.1)
    windows_are_separate: bool = True  # each device until its own end; else the last end counts for all (SE 5.4.1)
    keeps_windows_over_restart: bool = True  # windows are not forgotten on a power failure (our choice)
    admits_strangers: bool = False  # sends the network key to a device that nobody ordered (SE 5.4.1)
    transport_key_identifier: int | None = 2  # key-transport key; None sends the network key in the clear (4.4.1.1, 4.4.9.2)
    transports_under: bytes | None = None  # a link key to take for every joining device instead of its own (SE 5.4.1)
    falls_back_to_clear_key: bool = False  # a device that joins again is sent the network key in the clear (SE 5.4.1)
    sends_dummy_key: bool = False  # answers a secured rejoin with the all-zero network key (4.6.3.2.2.1)
    sends_key_again: bool = True  # each new association inside the window gets the network key (4.6.3.2.2.1)
    readmits_registered: bool = True  # a registered device that associates anew gets by with its install-code key (SE 5.4.1)
    loads_key_reversed: bool = False  # turns the octets of the ordered link key round (SE 5.4.8.1)

    listens_to_routers: bool = True  # acts on Update-Device (4.6.3.2.2.1)
    tunnels_keys: bool = True  # the network key for a device behind a router goes in a Tunnel to that (4.6.3.7.1)

    # a device's joining (SE 1.0 5.4.1 and table 5-2; 05-3474 4.6.3.2.3)
    scans_preferred_channels_first: bool = True  # SE table 5-2
    requires_capacity: bool = True  # and one that has room for it (3.6.1.4.1.1)
    requires_association_permit: bool = True  # chooses only a network that permits joining (3.6.1.4.1.1)
    pauses_between_scans: bool = True  # 1 s between three attempts, then a longer pause (SE table 5-2)
    gives_up_without_key: bool = True  # leaves when no key came within apsSecurityTimeOutPeriod (4.6.3.2.3)
    tries_elsewhere: bool = True  # goes to another open network when the key did not fit (SE 5.4.1)
    accepts_clear_network_key: bool = False  # takes a Transport-Key that is not APS-secured with its own link key (SE 5.4.1)
    takes_well_known_key: bool = False  # opens APS frames with the key that everybody knows as well (SE 5.4.1)
    turns_own_key: bool = False  # turns the octets of its own pre-configured link key round (SE 5.4.8.1)
    joins_when_powered: bool = True  # a device that needs no button begins when it has power (use case, row 5)
    backs_off_scans: bool = True  # a longer pause after three scans in vain (SE table 5-2)
    pauses_between_rejoins: bool = True  # rejoin intervals grow (SE table 5-2)
    leaves_by_itself: bool = False  # says goodbye soon after it came into service (SE 5.5)
    establishes_keys: bool = True  # begins key establishment; else it stays as it is (SE 5.5, annex C.3)
    takes_key_from_router: bool = True  # also where its parent hands it on out of a Tunnel (4.6.3.7.3)
    takes_extended_addresses: bool = True  # a Transport-Key whose NWK header names EUI-64s is one as well (3.3.1.1)
    installs_zero_key: bool = False  # takes the all-zero dummy key for a network key (4.6.3.2.2.1)
    follows_network_key_update: bool = True  # installs a further network key (4.6.3.4.2)
    follows_switch_key: bool = True  # makes it active when told to (4.6.3.4.2)
    rejoins_after_power_cycle: bool = True  # else associates anew (3.6.1.4.2)
    obeys_leave: bool = True  # processes a NWK Leave from its parent (08006r03, item NLF130)
    obeys_leave_when_registered: bool = True  # also when it has a key of key establishment; no longer since SE 1.1
    insists_on_binding: bool = False  # asks again until it is bound; a refusal should change nothing (2.4.4.2.2)
    assumed_service_endpoint: int | None = None  # likewise, of every cluster but Key Establishment (SE 6.3)
    assumed_endpoint: int | None = None  # an endpoint taken for granted on the partner instead of being discovered (SE 6.3)

    # key establishment (SE 1.0 annex C.3)
    checks_key_establishment_length: bool = True  # refuses a message with surplus octets
    checks_suite: bool = True  # exactly one bit, and one that it has
    checks_issuer: bool = True  # the partner's certificate comes from its own authority
    checks_subject: bool = True  # the certificate's subject is the address of the partner
    takes_reversed_subject: bool = False  # takes the address with its octets in the order of the air as well
    answers_bad_key: bool = True  # refuses an ephemeral key that is no point; else falls silent
    checks_confirmation: bool = True  # compares the partner's MAC
    compares_as_it_errs: bool = True  # a mistake of its own shows in what it compares the partner's MAC with as well
    keeps_key_only_if_confirmed: bool = True  # a refused confirmation leaves no key behind
    awaits_confirmation: bool = True  # uses the key when the partner's MAC has come; else when its own is sent
    heeds_terminate: bool = True  # an exchange that the partner ends is over; else it goes on, or leaves a key to the initiator
    breaks_off: bool = False  # ends its first exchange right behind its own Confirm Key Data
    holds_own_private_key: bool = True  # the private key belongs to the certificate
    checks_sequence: bool = True  # refuses a message out of its turn
    refuses_when_busy: bool = True  # NO_RESOURCES to a second initiator; else drops the first for it
    answers_when_busy: bool = True  # does not leave a second initiator without an answer
    respects_wait_time: bool = True  # tries again only after the wait time of a Terminate
    pauses_after_retries: bool = True  # a long pause after ten failures in a row (known from SE 1.4)
    retries_key_establishment: bool = True  # begins anew after a failure
    leaves_unknown_issuer: bool = True  # leaves the network when told, or finding, that the authorities differ
    honours_advertised_times: bool = True  # waits as long as the partner advertised
    generate_time_share: float | None = None  # computing takes this share of the advertised time; None: as long as it needs
    answers_after_failure: bool = True  # a failed exchange does not stand in the way of the next
    asks_before_registering: bool = False  # wants to know the time before it has a link key (5.5, 5.4.6)
    forgets_on_factory_reset: bool = True  # network and keys; else a reset is a power cycle (5.4.1)
    announces_before_establishing: bool = True  # Device_annce comes first (05-3474 2.4.3.1.11); else after the new key
    recovers_from_silence: bool = True  # gives up an exchange that the partner has left
    terminates_on_timeout: bool = False  # sends Terminate when its own patience ends
    establishes_with_ack: bool = True  # asks for APS acknowledgements
    establishes_under_network_key_only: bool = True  # no APS encryption on key establishment messages
    answers_source_endpoint: bool = True  # answers the endpoint that the request came from; else the lowest number
    reuses_ephemeral_key: bool = False  # takes the same ephemeral key twice
    key_agreement_mistake: str | None = None  # a name of `harness.crypto.cbke.known_mistakes`
    installs_established_key: bool = True  # goes on under the new link key; else under the install-code key

    # ZDP and ZCL (05-3474 2.4.4; ZCL 075123 2.4; SE 1.0 5.4.6)
    accepts_bindings: bool = True  # to refuse every Bind is no fault (2.4.4.2.2)
    matches_foreign_profile: bool = False  # answers Match_Desc for any profile (2.4.4.1.7.1)
    matches_any_cluster: bool = False  # answers Match_Desc for any cluster of its profile (2.4.4.1.7.1)
    takes_foreign_profile: bool = False  # takes a command of any profile for one of its own (2.2.4.1)
    answers_unmatched_broadcast: bool = False  # answers a broadcast Match_Desc without a match (2.4.4.1.7.1)
    requires_link_key: bool = True  # refuses SE data without an established link key (SE 5.4.6)
    serves_unregistered: bool = False  # serves whoever has no established link key under the network key (SE 5.4.6)
    accepts_preconfigured_key: bool = False  # takes SE data under the install-code key (SE 5.4.6)
    demands_link_key_always: bool = False  # refuses what the network key is enough for, key establishment apart (SE 5.4.6)
    refuses_under_network_key: bool = True  # a refusal is not APS-secured, like what it refuses (SE 5.4.6)
    executes_refused_commands: bool = False  # refuses, and does what was asked all the same (SE 5.4.6)
    uses_link_key: bool = True  # sends SE data APS-secured (SE 5.4.6)
    answers_with_same_security: bool = True  # a response is secured like its request; else always with a link key (SE 5.4.6)
    sends_default_response: bool = True  # where it is due (ZCL 2.4.12.2)
    sends_needless_default_response: bool = False  # also where it is not
    answers_malformed: bool = True  # with a status (ZCL 2.5.3); else keeps silent
    hangs_on_malformed: bool = False  # never answers again after a malformed message
    respects_transfer_size: bool = True  # sends nothing longer than the partner takes (SE table 5-8)

    # Smart Energy clusters
    reads_time_once_a_day: bool = True  # SE 5.4.2: no more than once in 24 h; else every few minutes
    uses_unsynchronised_time: bool = False  # takes the time of a server that is neither master nor synchronised (ZCL 3.12)
    uses_invalid_time: bool = False  # takes ffffffff for a time (ZCL 2.5.2)
    polls_every: float | None = None  # seconds between polls; None: as it is set up, no more often than every 7.5 s (08006r03, 7.7)
    accepts_longer_price: bool = True  # ignores trailing fields of later revisions (SE D.2)
    accepts_base_price: bool = True  # one without the fields that r15 appended (SE D.2)
    honours_device_class: bool = True  # ignores events for other device classes (SE D.3)
    honours_enrollment_group: bool = True  # ignores events for other groups (SE D.3)
    refuses_events_for_others: bool = False  # with an error, where it should ignore them (SE D.3)
    ignores_duplicate_event: bool = True  # an event known already is not executed or reported again (SE D.3)
    event_table: int | None = None  # holds so many events and rejects a further one; None: as many as come (open in SE D.3)
    checks_event_limits: bool = True  # duration at most 1440 minutes, a criticality that is not reserved (SE D.3)
    honours_randomisation: bool = True  # start and end are shifted by chance when asked for (SE D.3)
    randomised_share: float | None = None  # shifts by this share of its limit; None: by chance (SE D.3)
    honours_event_cancel: bool = True  # SE D.3
    honours_superseding: bool = True  # an overlapping newer event ends the older one (SE D.3)
    runs_until_superseded: bool = True  # a running one until just before the newer begins; else at once (SE D.3)
    delays_opt_out: bool = True  # an opt-out before the start is reported at the start (SE D.3)
    reports_applied_values: bool = True  # says in Report Event Status what it applied; else that it does not say (SE D.3)
    signs_event_status: bool = True  # ECDSA signature in Report Event Status (SE 1.0 D.3; dropped by 1.1)

    def rewritten(self, record: Record) -> Record | None:
        """The structure as this node really sends it; None when it keeps silent."""
        outgoing: Record | None = record
        for rewrite in self.rewrites:
            if outgoing is None:
                return None
            outgoing = rewrite(outgoing)
        return outgoing
