import QtQuick
import QtQuick.Shapes

// The page that was found in the live picture.
Shape {
    id: outline

    property var corners: []
    property color tone: "#4BE38B"

    ShapePath {
        strokeColor: outline.corners.length === 4 ? outline.tone : "transparent"
        strokeWidth: 7
        joinStyle: ShapePath.RoundJoin
        fillColor: "transparent"

        PathPolyline {
            path: outline.corners.length === 4
                ? [0, 1, 2, 3, 0].map(number => Qt.point(outline.corners[number][0] * outline.width, outline.corners[number][1] * outline.height))
                : [Qt.point(0, 0)]
        }
    }
}
