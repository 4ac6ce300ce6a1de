// zigbee-on-host as coordinator and trust centre: forms a network on the radio behind a Spinel socket and lets devices in.
// Reads JSON lines from standard input: the settings first, then orders. Tells events as JSON lines on standard output. It ends
// when standard input ends, so that it never outlives whoever started it.
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { OTRCPDriver } from "zigbee-on-host";
import { setLogger } from "zigbee-on-host/dist/utils/logger.js";

const tell = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
const hex = (number, digits = 16) => number?.toString(16).padStart(digits, "0");
const said = (message) => (typeof message === "function" ? message() : message);
const log = (level) => (message, from) => console.error(level, from, said(message));
const complain = (level) => (message, from) => tell("complaint", { level, from, text: said(message) });
setLogger({ debug: log("debug"), info: log("info"), warning: complain("warning"), error: complain("error") });

const met = (event) => (address, ieee, capabilities) => tell(event, { address, ieee: hex(ieee), capabilities });
const callbacks = {
  onFatalError: (text) => tell("complaint", { level: "fatal", text }),
  onMACFrame: () => {},
  onGPFrame: () => {},
  onFrame: (address, ieee, aps, payload) =>
    tell("frame", { address, profile: aps.profileId, cluster: aps.clusterId, payload: payload.toString("hex") }),
  onDeviceJoined: met("joined"),
  onDeviceRejoined: met("rejoined"),
  onDeviceAuthorized: met("authorized"),
  onDeviceLeft: met("left"),
};

const input = createInterface({ input: process.stdin });
input.on("close", () => process.exit(0));
const settings = await new Promise((resolve) => input.once("line", (line) => resolve(JSON.parse(line))));
const radio = { // of every transmission: no delay, no security by the radio
  txChannel: settings.channel, ccaBackoffAttempts: 4, ccaRetries: 3, enableCSMACA: true, headerUpdated: true, reTx: false,
  securityProcessed: true, txDelay: 0, txDelayBaseTime: 0, rxChannelAfterTxDone: settings.channel,
};
const network = {
  eui64: BigInt(`0x${settings.eui64}`), panId: settings.pan, extendedPanId: BigInt(`0x${settings.extendedPan}`),
  channel: settings.channel, nwkUpdateId: 0, txPower: 5,
  networkKey: Buffer.from(settings.networkKey, "hex"), networkKeyFrameCounter: 0, networkKeySequenceNumber: 0,
  tcKey: Buffer.from(settings.linkKey, "hex"), tcKeyFrameCounter: 0,
};
const socket = connect({ host: "127.0.0.1", port: settings.port, noDelay: true });
socket.on("error", (fault) => { tell("complaint", { level: "fatal", text: fault.message }); process.exit(1); });
socket.on("close", () => process.exit(0));

const driver = new OTRCPDriver(socket, callbacks, radio, network, settings.folder);
const orders = {
  pulse: async () => setImmediate(() => tell("pulse")), // by then everything that came over the socket has been answered
  zdo: ({ address, cluster, payload }) => driver.sendZDO(Buffer.from(`00${payload}`, "hex"), address, undefined, cluster),
  send: ({ address, endpoint, profile, cluster, payload }) =>
    driver.sendUnicast(Buffer.from(payload, "hex"), profile, cluster, address, undefined, endpoint, 1),
  permit: async ({ seconds }) => driver.context.allowJoins(seconds, true), // its own clock ends it
  forbid: async () => driver.context.disallowJoins(),
  dismiss: ({ address }) => driver.nwkHandler.sendLeave(address, false),
};
input.on("line", (line) => {
  const { order, ...fields } = JSON.parse(line);
  orders[order](fields).catch((fault) => tell("complaint", { level: "error", text: fault.message }));
});

await driver.start();
await driver.formNetwork();
if (settings.alwaysOpen) driver.context.allowJoins(254, true);
tell("formed");
