// Judges pages with Lighthouse: node lighthouse.mjs PORT URL..., where PORT is a browser's for debugging.
// Prints a line of JSON a page: what each category scores, and the audits that found something. It measures no time.
import lighthouse from 'lighthouse'

const [port, ...urls] = process.argv.slice(2)
const options = {
  port: Number(port),
  onlyCategories: ['accessibility', 'best-practices', 'seo'],
  disableFullPageScreenshot: true,
  // It would wait for seconds of quiet, to measure; what it looks at here is there when the page is.
  pauseAfterFcpMs: 0,
  pauseAfterLoadMs: 0,
  networkQuietThresholdMs: 500,
  cpuQuietThresholdMs: 0,
  logLevel: 'error',
}

for (const url of urls) {
  const { lhr } = await lighthouse(url, options)
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message)
  const scores = Object.fromEntries(Object.values(lhr.categories).map(({ id, score }) => [id, score]))
  const found = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 1)
  const findings = found.map(({ id, title, details }) => ({ id, title, items: details?.items }))
  console.log(JSON.stringify({ url, scores, findings }))
}
