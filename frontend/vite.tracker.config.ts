import { defineConfig } from "vite";

/** The browser tracker: one small script of a fixed name, for old and new browsers, apart from the product's own. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../parcours/ui/static/ui/dist",
    emptyOutDir: false,
    target: "es2018",
    lib: { entry: "src/tracker/main.ts", formats: ["iife"], name: "parcoursTracker", fileName: () => "t.js" },
  },
});
