// What every client here sends: the photo as it is, or with FORM, the other fields as JSON, as a form; with METHOD=GET, nothing.
import fs from 'node:fs'

export function write(photo) {
  if (process.env.METHOD === 'GET') return { method: 'GET' }
  if (!process.env.FORM) return { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: fs.readFileSync(photo) }
  const form = new FormData()
  for (const [name, value] of Object.entries(JSON.parse(process.env.FORM))) form.append(name, value)
  form.append('image', new Blob([fs.readFileSync(photo)], { type: 'image/png' }), 'photo.png')
  return { method: 'POST', body: form }
}
