import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `HEADRACE_HOST` is the server that the development server passes requests on to. */
const server = process.env.HEADRACE_HOST ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  build: { target: 'es2023', assetsInlineLimit: 0 },
  server: { proxy: { '/api': server, '/healthz': server, '/readyz': server } },
});
