"""A form with one of everything, as tests of forms and of the reading page use it."""

from __future__ import annotations

from importlib import resources

FORM = """
  lesion:
    label: {en: Lesion assessment, sv: Lesionsbedömning}
    items:
      - name: scanned
        type: date
        label: {en: Date of the scan, sv: Undersökningsdatum}
        min: 2000-01-01
        max: not_future
        required: false
      - name: diagnosed
        type: date
        label: {en: Date of diagnosis, sv: Diagnosdatum}
        partial: true
        max: not_future
        required: false
      - name: findings
        type: choices
        label: {en: Other findings, sv: Andra fynd}
        codes:
          ascites: {en: Ascites, sv: Ascites}
          effusion: {en: Effusion, sv: Vätska}
          fracture: {en: Fracture, sv: Fraktur}
        required: false
      - name: quality
        type: score
        label: {en: Image quality, sv: Bildkvalitet}
        min: 1
        max: 5
        labels: {1: {en: Poor, sv: Dålig}, 5: {en: Excellent, sv: Utmärkt}}
      - name: scanner
        type: text
        label: {en: Scanner, sv: Kamera}
        pattern: "[A-Z]{2}-[0-9]+"
        longest: 20
        lines: 1
        required: false
      - group: targets
        label: {en: Target lesions, sv: Målförändringar}
        row: {en: target lesion, sv: målförändring}
        prefix: T
        min: 1
        max: 3
        carry: true
        fixed: [organ, place]
        items:
          - name: organ
            type: choice
            label: {en: Organ, sv: Organ}
            codes:
              liver: {en: Liver, sv: Lever}
              lung: {en: Lung, sv: Lunga}
              node: {en: Lymph node, sv: Lymfkörtel}
              bone: {en: Bone, sv: Skelett}
            absent: []
          - name: place
            type: text
            label: {en: Place, sv: Plats}
            lines: 1
            required: false
            absent: []
          - name: size
            type: bidirectional
            label: {en: Diameters, sv: Diametrar}
            required: false
          - name: diameter
            type: length
            label: {en: Diameter, sv: Diameter}
            min: 0.1
            required: false
            absent: [not_evaluable]
          - name: counted
            type: number
            label: {en: Counted size, sv: Räknad storlek}
            unit: mm
            min: 0
            decimals: 1
            checks:
              - rule: organ = 'node' implies counted >= 15
                message: {en: A node counts from 15 mm., sv: En körtel räknas från 15 mm.}
                severity: warning
          - name: half
            type: computed
            as: number
            compute: counted / 2
            label: {en: Half, sv: Hälften}
            show_if: organ = 'liver'
            decimals: 2
      - name: sum
        type: computed
        as: number
        compute: sum(targets.counted)
        label: {en: Sum of diameters, sv: Diametersumma}
        unit: mm
        decimals: 1
      - name: baseline
        type: number
        label: {en: Sum at baseline, sv: Summa vid baslinjen}
        unit: mm
        given: first.sum
      - name: nadir
        type: number
        label: {en: Lowest sum, sv: Lägsta summa}
        unit: mm
        given: lowest.sum
      - name: response
        type: computed
        as: choice
        label: {en: Response, sv: Svar}
        compute: >-
          iif(sum >= nadir * 1.2 and sum - nadir >= 5, 'pd', iif(sum = 0, 'cr', iif(sum <= baseline * 0.7, 'pr', 'sd')))
        codes:
          cr: {en: Complete response, sv: Komplett respons}
          pr: {en: Partial response, sv: Partiell respons}
          sd: {en: Stable disease, sv: Stabil sjukdom}
          pd: {en: Progressive disease, sv: Progress}
        show_if: baseline.exists()
    checks:
      - rule: findings contains 'ascites' implies quality >= 2
        message: {en: Ascites is seen on images of quality 2 or better., sv: Ascites ses på bilder med kvalitet 2.}
      - rule: count(targets) <= 2 or quality >= 3
        message: {en: More than two targets need quality 3., sv: Fler än två kräver kvalitet 3.}
        severity: warning
"""


def trial_project() -> str:
    """The example project with this form in place of its own."""
    example = resources.files("collegium.research.examples").joinpath("ct-lesion.yaml").read_text("utf-8")
    before, _, rest = example.partition("\nforms:")
    return f"{before}\nforms:{FORM}\npipeline:{rest.partition(chr(10) + 'pipeline:')[2]}"
