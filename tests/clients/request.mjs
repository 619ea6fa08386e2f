// What every client here sends: the photo as it is, or with FORM, the other fields as JSON, as a form; with METHOD=GET, nothing.
// FILES, fields and paths as JSON, are the form's files in the photo's place.
import fs from 'node:fs'
import path from 'node:path'

const TYPES = { '.png': 'image/png', '.mp4': 'video/mp4' }

export function write(photo) {
  if (process.env.METHOD === 'GET') return { method: 'GET' }
  if (!process.env.FORM) return { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: fs.readFileSync(photo) }
  const form = new FormData()
  for (const [name, value] of Object.entries(JSON.parse(process.env.FORM))) form.append(name, value)
  const files = process.env.FILES ? JSON.parse(process.env.FILES) : { image: photo }
  for (const [name, file] of Object.entries(files)) {
    form.append(name, new Blob([fs.readFileSync(file)], { type: TYPES[path.extname(file)] }), path.basename(file))
  }
  return { method: 'POST', body: form }
}
