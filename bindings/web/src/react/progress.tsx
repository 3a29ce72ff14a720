import { useId, type HTMLAttributes, type ReactElement } from "react";
import { progressOf, statusOf, WORDS, type Shown, type Words } from "./looks.js";
import { classes } from "./status-badge.js";

type Attributes = Omit<HTMLAttributes<HTMLDivElement>, "children" | "resource">;

export interface ResourceProgressProps extends Omit<Shown, "labels">, Attributes {
  readonly words?: Partial<Words>;
}

/**
 * How far an operation is: a message or else the status, the percentage, and a bar. 0 % is progress; nothing is shown
 * while none was reported.
 *
 * Without the stylesheet the bar is as high as a line. For your own: classes `rc-progress`, `rc-progress-label`,
 * `rc-progress-percent`, `rc-progress-track` and `rc-progress-fill`; `data-status` and `data-stalled`.
 */
export function ResourceProgress(props: ResourceProgressProps): ReactElement | null {
  const { row, resource, words, className, ...rest } = props;
  const id = useId();
  const shown = { row, resource };
  const progress = progressOf(shown);
  if (progress === undefined) return null;
  const { percent, stalled } = { ...WORDS, ...words };
  const text = percent(progress.percent);
  return (
    <div
      {...rest}
      className={classes("rc-progress", className)}
      data-status={statusOf(shown)}
      data-stalled={progress.stalled}
    >
      <span className="rc-progress-label" id={id}>
        {progress.label}
        {progress.stalled && ` (${stalled})`}
      </span>{" "}
      <span className="rc-progress-percent" aria-hidden="true">
        {text}
      </span>
      <div
        role="progressbar"
        className="rc-progress-track"
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={progress.percent}
        aria-valuetext={text}
      >
        {/* As an attribute of an SVG its width needs no style, which a content security policy may forbid. */}
        <svg width="100%" height="1em" aria-hidden="true" focusable="false">
          <rect
            className="rc-progress-fill"
            width={`${progress.percent}%`}
            height="100%"
            fill="currentColor"
          />
        </svg>
      </div>
    </div>
  );
}
