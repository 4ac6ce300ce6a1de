// How Allure shows a run: one self-contained file, grouped by step; inconclusive and error told apart from a fail.
export default {
  name: "HANproof: HAN device provisioning (use case 2.7)",
  plugins: {
    awesome: { options: { singleFile: true, reportLanguage: "en", groupBy: ["feature"], publish: true } },
  },
  categories: [
    { name: "Fail: the device does not conform", matchers: [{ statuses: ["failed"] }] },
    { name: "Inconclusive: the case could not decide", matchers: [{ statuses: ["broken"], labels: { verdict: "inconc" } }] },
    { name: "Error: the harness is at fault", matchers: [{ statuses: ["broken"] }] },
  ],
};
