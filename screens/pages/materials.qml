pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    step: "materials"
    over: MaterialsModel.itemName
    title: MaterialsModel.missing
    notice: MaterialsModel.notice
    showBack: true
    primaryText: qsTr("下一步")
    primaryMore: qsTr("核对确认")
    primaryEnabled: MaterialsModel.complete
    onPrimary: MaterialsModel.next()

    Repeater {
        model: MaterialsModel.rows

        MaterialCard {}
    }
}
