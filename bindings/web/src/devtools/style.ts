/** The timeline's sheet: light and dark as the page's `color-scheme` or the system says. */
export const style = `
:host { display: block; color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
.lanes { color: light-dark(#1b1f24, #e6e9ed); background: light-dark(#fff, #15181c); padding: 4px; }
.lane { border-bottom: 1px solid light-dark(#d5dae0, #343a42); }
summary { display: flex; flex-wrap: wrap; gap: 2px 12px; padding: 6px 4px; cursor: pointer; }
summary:focus-visible { outline: 2px solid light-dark(#0b57d0, #8ab4f8); outline-offset: -2px; }
.id { font-weight: 600; overflow-wrap: anywhere; }
.now, time { color: light-dark(#4a525c, #b3bac3); }
svg { display: block; flex: 1 0 100%; width: 100%; height: 12px; border-radius: 3px; background: light-dark(#eef1f4, #23282e); }
rect { fill: #8b95a1; }
.idle { fill: #9fb3c8; }
.creating, .created { fill: #2e8b57; }
.updating, .updated { fill: #2f6fde; }
.processing, .processed { fill: #8a5cd6; }
.deleting, .deleted { fill: #c2571a; }
.retrying { fill: #c79a10; }
.failed { fill: #d03030; }
.hidden { opacity: 0.45; }
ol { margin: 0; padding: 4px 8px 10px 28px; overflow-wrap: anywhere; }
.outcome { display: block; font-weight: 600; }
`;
